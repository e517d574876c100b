/**
 * The scenario file: what flows do, as data. Every adapter runs it (`test/run-scenarios.ts`), and an engine without a
 * store does, and all of them must agree.
 */
import { branches } from './scenarios/branches.ts'
import { children } from './scenarios/children.ts'
import { data } from './scenarios/data.ts'
import { endurance } from './scenarios/endurance.ts'
import { limits } from './scenarios/limits.ts'
import { loops } from './scenarios/loops.ts'
import { operators } from './scenarios/operators.ts'
import { otherRuns } from './scenarios/other-runs.ts'
import { outside } from './scenarios/outside.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { schemas } from './scenarios/schemas.ts'
import { successors } from './scenarios/successors.ts'
import { visits } from './scenarios/visits.ts'

export type { Expected, Scenario } from './scenarios/scenario.ts'

export const scenarios: readonly Scenario[] = [
  ...branches,
  ...endurance,
  ...loops,
  ...visits,
  ...data,
  ...outside,
  ...operators,
  ...children,
  ...otherRuns,
  ...successors,
  ...schemas,
  ...limits,
]
