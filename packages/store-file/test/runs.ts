/** Runs for tests: a straight line of nodes n0, n1, …, driven by hand. */
import type { JsonValue } from '@baton/core'
import { type Claim, type IRunStore, type NewRun, parseRunId, type RunId, type Transition } from '@baton/core/adapter'

export const id = (text: string): RunId => parseRunId(text)

export function newRun(runId: string, more: Partial<NewRun> = {}): NewRun {
  return { runId: id(runId), kind: 'workflow', flowId: 'flow', starts: ['n0'], ...more }
}

export async function claim(store: IRunStore, runId: string, instanceId = 'n0', workerId = 'w'): Promise<Claim> {
  const result = await store.claim(claimOf(runId, instanceId, workerId))
  if (result.status !== 'claimed') throw new Error(`claim: ${result.status}`)
  return result.claim
}

export function claimOf(runId: string, instanceId = 'n0', workerId = 'w', leaseMs = 30_000) {
  const claimId = `${workerId}-${Math.random().toString(36).slice(2)}`
  return { runId: id(runId), instanceId, claimId, workerId, leaseMs, input: true, reads: ['a'] }
}

interface Step {
  readonly output?: JsonValue
  readonly deltas?: Extract<Transition['outcome'], { type: 'succeeded' }>['deltas']
  /** No node follows. */
  readonly last?: boolean
  readonly claimNext?: boolean
  readonly commitId?: string
}

/** The transition from one node of the line to the next. */
export function step(runId: string, held: Claim, { output, deltas, last, claimNext, commitId }: Step = {}): Transition {
  const from = held.instanceId
  const nodeId = `n${Number(from.slice(1)) + 1}`
  return {
    runId: id(runId),
    commitId: commitId ?? `${from}-${held.fence}`,
    instanceId: from,
    fence: held.fence,
    outcome: {
      type: 'succeeded',
      ...(output === undefined ? {} : { output }),
      ...(deltas === undefined ? {} : { deltas }),
      arrivals: last ? [] : [{ to: nodeId, edge: `${from}->${nodeId}`, from, fate: 'succeeded', rule: 'all', of: 1 }],
      ...(last ? { resultOf: from } : {}),
    },
    ...(claimNext ? { next: { workerId: 'w', leaseMs: 30_000, candidates: [{ nodeId }] } } : {}),
  }
}

/** Runs a line of that many nodes to its end. */
export async function runLine(
  store: IRunStore,
  runId: string,
  nodes: number,
  more: Partial<NewRun> = {},
): Promise<void> {
  await store.create(newRun(runId, more))
  let held = await claim(store, runId)
  for (let index = 0; index < nodes; index++) {
    const last = index === nodes - 1
    const result = await store.commit(step(runId, held, { output: index, last, claimNext: true }))
    if (result.status !== 'committed') throw new Error(`commit: ${result.status}`)
    if (result.claim !== undefined) held = result.claim
  }
}
