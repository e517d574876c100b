import type { Feature } from '../feature.ts'

/** Edges that lead back, one loop in another too: a matter of the whole flow, which `random-flow.ts` sees to. */
export const loops: Feature = { name: 'loops' }
