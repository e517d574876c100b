/**
 * A dead letter that is given another chance: its instance starts afresh, and what its failure has decided behind it is
 * undone.
 *
 *   failed ─► ready, attempts counted anew; what its steps recorded stays
 *   a map  ─► waiting, and its items that have not succeeded start afresh
 *   behind ─► waits again for this one, or was never heard of
 */
import { firstUntaken, reviewDeadLetters, runsNothing } from './dead-letters.ts'
import type { InstanceId } from './ids.ts'
import { open, setStatus } from './instance-status.ts'
import type { JsonValue } from './json.ts'
import { isSettled, type RecordedStep } from './run.ts'
import type { InstanceState, RunState } from './run-state.ts'
import { openIfMet, redoItems, reset } from './settle.ts'

/** What follows from an instance's failure alone and can be undone, and the first instance behind it that has gone on. */
export interface Behind {
  readonly undone: readonly InstanceId[]
  readonly goneOn: InstanceId | undefined
}

/** Looks through the run: operators ask this, and rarely. */
export function behind(state: RunState, id: InstanceId): Behind {
  const undone: InstanceId[] = []
  let goneOn: InstanceId | undefined
  const line = [id]
  for (let from = line.shift(); from !== undefined; from = line.shift()) {
    for (const instance of state.instances.values()) {
      if (!instance.arrivals.some((arrival) => arrival.from === from)) continue
      if (undone.includes(instance.id)) continue
      const hasActed = instance.started && (instance.status === 'claimed' || !runsNothing(instance))
      if (hasActed || instance.status === 'cancelled') {
        goneOn ??= instance.id
        continue
      }
      undone.push(instance.id)
      // What was decided here has gone further.
      if (isSettled(instance.status)) line.push(instance.id)
    }
  }
  return { undone, goneOn }
}

/** @param undone as `behind` names them */
export function reopen(state: RunState, id: InstanceId, undone: readonly InstanceId[], atMs: number): void {
  const instance = state.instances.get(id)
  if (instance === undefined) return
  state.deadLetters?.delete(id)
  const silenced = new Set([id, ...undone])
  for (const behindIt of undone) undo(state, behindIt, silenced, atMs)
  startAfresh(state, instance, atMs)
  reviewDeadLetters(state)
  decideAnew(state)
}

/** Where the failure that has fixed the outcome does not stand any more, what else has failed decides in its place. */
export function decideAnew(state: RunState): void {
  const { instances, outcome } = state
  if (outcome?.status === 'failed' && outcome.instanceId !== undefined) {
    if (instances.get(outcome.instanceId)?.status === 'failed') return
  }
  const first = firstUntaken(state)
  state.outcome =
    first?.error === undefined ? undefined : { status: 'failed', error: first.error, instanceId: first.id }
}

/** The instance as if it had never been tried, whatever it is now. What its steps recorded stays. */
export function startAfresh(state: RunState, instance: InstanceState, atMs: number): void {
  reset(state, instance)
  forgetVainWaits(instance)
  if (instance.map === undefined) return open(state, instance, atMs)
  setStatus(state, instance, 'waiting')
  redoItems(state, instance, atMs)
}

/** Told once more that nothing came, or how its child failed, it would fail at once: that, and what followed, is forgotten. */
function forgetVainWaits(instance: InstanceState): void {
  const { steps = [] } = instance
  const vain = steps.filter((step) => step.timedOut === true || isFailedChild(step)).map(({ position }) => position)
  if (vain.length === 0) return
  const first = Math.min(...vain)
  instance.steps = steps.filter(({ position }) => position < first)
  instance.lastPosition = Math.max(-1, ...instance.steps.map(({ position }) => position))
}

export function isFailedChild({ kind, result }: RecordedStep): boolean {
  if (kind !== 'child' || result === undefined) return false
  return (result as { readonly status?: JsonValue }).status !== 'completed'
}

function undo(state: RunState, id: InstanceId, silenced: ReadonlySet<InstanceId>, atMs: number): void {
  const instance = state.instances.get(id)
  if (instance === undefined) return
  reset(state, instance)
  instance.started = false
  instance.arrivals = instance.arrivals.filter(({ from }) => !silenced.has(from))
  instance.arrivedEdges = undefined
  setStatus(state, instance, 'waiting')
  if (instance.arrivals.length > 0) return openIfMet(state, instance, atMs)
  // A claim of it may still be out there: the next one is to have a higher fence.
  if (instance.fence > 0) return
  // It waits for nobody who has spoken: an instance begins with its first arrival.
  state.instances.delete(id)
  state.open -= 1
  state.waiting -= 1
}
