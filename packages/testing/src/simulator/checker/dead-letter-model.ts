/**
 * The failed work of a run that nobody takes, as the referee follows it: what has failed itself with nothing to take it, and
 * what is before a join that has failed for it, where nothing takes that. From the fates of instances alone.
 */
import type { InstanceFate } from './fates.ts'
import type { RunModel } from './run-model.ts'

/** Nobody has run it: what was before it has decided its fate. */
export function isPassedOver(fate: InstanceFate | undefined): boolean {
  return fate?.fate === 'skipped' || fate?.errorCode === 'PREDECESSOR_FAILED'
}

/** An instance has failed, and nothing takes that. */
export function keepLetters(run: RunModel, failedId: string): void {
  const ids = isPassedOver(run.fates.of(failedId)) ? workBefore(run, failedId) : [failedId]
  for (const id of ids) {
    if (!run.deadLetters.has(id)) run.deadLetters.set(id, run.instance(id).failedSeq)
  }
}

/** Something is open again: who was kept only for a join that has not failed any more is taken once more. */
export function reviewLetters(run: RunModel): void {
  const joins = [...run.failures].filter((id) => isPassedOver(run.fates.of(id)))
  const before = new Set(joins.flatMap((id) => [...workBefore(run, id)]))
  for (const id of run.deadLetters.keys()) {
    if (!run.failures.has(id) && !before.has(id)) run.deadLetters.delete(id)
  }
}

/** The work whose failures have come together in a join, through all that nobody has run. */
function workBefore(run: RunModel, joinId: string): ReadonlySet<string> {
  const work = new Set<string>()
  const passedOver = new Set([joinId])
  for (const id of passedOver) {
    for (const heard of run.rules.heardBy(id, run.fates)) {
      if (heard?.fate !== 'failed') continue
      if (!isPassedOver(run.fates.of(heard.from))) work.add(heard.from)
      // What is before another one that nobody takes was kept when that one failed.
      else if (!run.failures.has(heard.from)) passedOver.add(heard.from)
    }
  }
  return work
}
