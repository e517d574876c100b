import type { RunId } from '../model/ids.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import type { IRunStore } from '../ports/run-store.ts'

/** Sees to it that a run is made, whose start lies in the outbox of the one before it. */
export type BringSuccessor = (from: RunId, to: RunId) => Promise<void>

interface Told {
  /** The run that answered. */
  readonly runId: RunId
  readonly result: NoticeResult
}

/**
 * Brings news to the run that it is for or, where that one has gone on as new, to the run that goes on for it. Each of
 * them knows what it has taken itself, so that nothing is taken twice; and one that was not made yet is made first, so
 * that nothing is lost.
 */
export async function notifyNewest(
  store: Pick<IRunStore, 'notify'>,
  notice: Notice,
  bring: BringSuccessor,
): Promise<Told> {
  let told: Told = { runId: notice.runId, result: await store.notify(notice) }
  while (told.result.status === 'ended' && told.result.continuedBy !== undefined) {
    const runId = told.result.continuedBy
    const here = { ...notice, runId }
    let result = await store.notify(here)
    if (result.status === 'unknown-run') {
      await bring(told.runId, runId)
      result = await store.notify(here)
    }
    // It is long over, and was removed.
    if (result.status === 'unknown-run') break
    told = { runId, result }
  }
  return told
}
