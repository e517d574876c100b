/** All that the workload can do. A new feature of the engine is a file here and a name in this list. */
import type { Feature } from '../feature.ts'
import { approvals, impatientApprovals } from './approvals.ts'
import { checkpoints } from './checkpoints.ts'
import { children, messages, unsteadyChildren } from './children.ts'
import { actions, conditions } from './conditions.ts'
import { counting, sharedValues } from './context.ts'
import { endless } from './endless.ts'
import { independentRuns } from './independent.ts'
import { anyJoins, ignoringJoins } from './joins.ts'
import { limits } from './limits.ts'
import { loops } from './loops.ts'
import { poison } from './poison.ts'
import { retries } from './retries.ts'
import { contendedSignals, signals } from './signals.ts'
import { sleeps } from './sleeps.ts'
import { parallelSteps, steps } from './steps.ts'
import { timeouts } from './timeouts.ts'
import { rollingVersions } from './versions.ts'
import { work } from './work.ts'

export const features: readonly Feature[] = [
  work,
  steps,
  parallelSteps,
  sleeps,
  signals,
  contendedSignals,
  approvals,
  impatientApprovals,
  counting,
  sharedValues,
  checkpoints,
  retries,
  timeouts,
  poison,
  anyJoins,
  ignoringJoins,
  actions,
  conditions,
  loops,
  children,
  unsteadyChildren,
  messages,
  rollingVersions,
  endless,
  limits,
  independentRuns,
]
