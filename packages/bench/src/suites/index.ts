import type { Suite } from '../suite.ts'
import { core } from './core.ts'

export const suites: Readonly<Record<string, Suite>> = { core }
