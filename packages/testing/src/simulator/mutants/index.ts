/** All planted bugs, each with a seed that catches it. */
import { inClient } from './in-client.ts'
import { inDecide } from './in-decide.ts'
import { inDeployment } from './in-deployment.ts'
import { inFamily } from './in-family.ts'
import { inLimits } from './in-limits.ts'
import { inLoops } from './in-loops.ts'
import { inMachine } from './in-machine.ts'
import { inPublishing } from './in-publishing.ts'
import { inRedrive } from './in-redrive.ts'
import { inRows } from './in-rows.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  ...inDecide,
  ...inLoops,
  ...inFamily,
  ...inRows,
  ...inLimits,
  ...inRedrive,
  ...inDeployment,
  ...inPublishing,
  ...inMachine,
  ...inClient,
]

export type { Mutant }

export function mutantOf(name: string): Mutant | undefined {
  return mutants.find((mutant) => mutant.name === name)
}
