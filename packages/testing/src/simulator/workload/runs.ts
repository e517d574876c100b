/** The runs of a seed, and the flows that they are runs of. */
import type { StartOptions } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Plan } from '../plan.ts'
import type { Witness } from './program.ts'
import { randomSimFlow, type SimFlow } from './random-flow.ts'

export interface SimRun {
  readonly runId: string
  readonly flow: SimFlow
  readonly input: number
  readonly options: StartOptions
}

export function runsOf(plan: Plan, nowMs: number, witness: Witness): readonly SimRun[] {
  const { seed, maxNodes, features, isDetermined } = plan
  const dice = new Dice(hash(`${seed} runs`))
  const flows = Array.from({ length: 1 + dice.below(plan.runs) }, (_, index) => {
    const deadlineMs = !isDetermined && dice.happens(0.15) ? 500 + dice.below(6_000) : undefined
    return randomSimFlow({ seed, index, maxNodes, features, isDetermined, deadlineMs, witness })
  })
  return Array.from({ length: plan.runs }, (_, index) => {
    const flow = dice.pick(flows)
    const hasKey = dice.happens(0.3)
    const runId = hasKey ? `${flow.flow.id}:k${index}` : `r${index}`
    const options: StartOptions = {
      ...(hasKey ? { idempotencyKey: `k${index}` } : { runId }),
      ...(dice.happens(0.15) ? { startAtMs: nowMs + dice.below(2_000) } : {}),
      ...(dice.happens(0.2) ? { priority: dice.below(3) } : {}),
    }
    return { runId, flow, input: dice.below(100), options }
  })
}
