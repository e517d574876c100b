import { p1 } from './promises/p1.ts'
import { p2 } from './promises/p2.ts'
import { p3 } from './promises/p3.ts'
import { p4 } from './promises/p4.ts'
import { p5 } from './promises/p5.ts'
import { p6 } from './promises/p6.ts'
import { p7 } from './promises/p7.ts'
import { p8 } from './promises/p8.ts'
import { p9 } from './promises/p9.ts'
import { p10 } from './promises/p10.ts'
import type { Suite } from './suite.ts'

/** The promises P1 to P10, kept by real workers on the ports of a subject. */
export const promiseSuites: readonly Suite[] = [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10]
