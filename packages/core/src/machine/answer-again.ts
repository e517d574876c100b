import type { InstanceId } from '../model/ids.ts'
import type { InstanceState, RunState } from '../model/run-state.ts'
import type { RunSignal } from '../ports/claim.ts'
import type { CommitResult, Transition } from '../ports/transition.ts'
import { claimView } from './claim-view.ts'

/** Notes what a transition is answered, for the one who does not hear it. */
export function noteAnswer(
  instance: InstanceState,
  commitId: string,
  ready: readonly InstanceId[],
  next: InstanceId | undefined,
): void {
  instance.commitId = commitId
  instance.answeredReady = ready
  instance.answeredNext = next
}

/**
 * What whoever did not hear it is told of a transition that was made already: the same jobs, and the same claim for as
 * long as it holds.
 */
export function answerAgain(
  state: RunState,
  { answeredReady: ready, answeredNext: next }: InstanceState,
  transition: Transition,
  run: RunSignal,
): CommitResult {
  const claimed = next === undefined ? undefined : state.instances.get(next)
  const held = claimed?.status === 'claimed' && claimed.claimId === transition.commitId ? claimed : undefined
  const needs = transition.next?.candidates.find(({ nodeId }) => nodeId === held?.nodeId)
  return {
    status: 'already-committed',
    ready,
    ...(held === undefined ? {} : { claim: claimView(state, held, needs ?? {}) }),
    run,
  }
}

/** Steps of one attempt may run side by side, so that the newest commit is not always the one that is asked again. */
export function hasStep({ steps, lastPosition }: InstanceState, position: number): boolean {
  return steps !== undefined && position <= lastPosition && steps.some((step) => step.position === position)
}
