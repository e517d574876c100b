/** The runs of a seed, and the flows that they are runs of. */
import type { StartOptions } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Plan } from '../plan.ts'
import type { Feature } from './feature.ts'
import { children as childFeature, unsteadyChildren } from './features/children.ts'
import { independentRuns } from './features/independent.ts'
import { rollingVersions } from './features/versions.ts'
import { inputOf } from './inputs.ts'
import type { Witness } from './program.ts'
import { randomSimFlow, type SimFlow } from './random-flow.ts'

const VERSIONS = ['old', 'new']

/** Features for which there have to be flows for their runs. */
const parents: readonly Feature[] = [childFeature, unsteadyChildren, independentRuns]

export interface SimRun {
  readonly runId: string
  readonly flow: SimFlow
  readonly input: unknown
  /** With which the same start is another one. */
  readonly otherInput: unknown
  readonly options: StartOptions
}

export interface Workload {
  /** Also those that only nodes start runs of. */
  readonly flows: readonly SimFlow[]
  readonly runs: readonly SimRun[]
}

export function workloadOf(plan: Plan, nowMs: number, witness: Witness): Workload {
  const { seed, maxNodes, features, isDetermined } = plan
  const dice = new Dice(hash(`${seed} runs`))
  const children: SimFlow[] = []
  if (features.some((feature) => parents.includes(feature))) {
    for (const id of ['child', 'parent']) {
      const small = { maxNodes: Math.min(4, maxNodes), deadlineMs: undefined, children: [...children] }
      children.push(randomSimFlow({ seed, id, features, isDetermined, witness, ...small }))
    }
  }
  const flows = Array.from({ length: 1 + dice.below(plan.runs) }, (_, index) => index).flatMap((index) => {
    const deadlineMs = !isDetermined && dice.happens(0.15) ? 500 + dice.below(6_000) : undefined
    const options = { seed, id: `flow-${index}`, maxNodes, features, children, isDetermined, deadlineMs, witness }
    const versions = features.includes(rollingVersions) ? VERSIONS : [undefined]
    return versions.map((version) => randomSimFlow({ ...options, ...(version === undefined ? {} : { version }) }))
  })
  const runs = Array.from({ length: plan.runs }, (_, index) => {
    const flow = dice.pick(flows)
    const hasKey = dice.happens(0.3)
    const runId = hasKey ? `${flow.flow.id}:k${index}` : `r${index}`
    const options: StartOptions = {
      ...(hasKey ? { idempotencyKey: `k${index}` } : { runId }),
      ...(dice.happens(0.15) ? { startAtMs: nowMs + dice.below(2_000) } : {}),
      ...(dice.happens(0.2) ? { priority: dice.below(3) } : {}),
    }
    const number = dice.below(100)
    return { runId, flow, input: inputOf(flow, number), otherInput: inputOf(flow, number + 2), options }
  })
  return { flows: [...children, ...flows], runs }
}
