/**
 * A limiter goes on in a new run that begins with all that it knows. Where that is more than the store takes at once,
 * because thousands wait, the new run begins without them, and they ask it anew, in their order.
 */
import type { RunId } from '../model/ids.ts'
import { splitLine } from '../model/limiter.ts'
import type { NewRun } from '../model/run.ts'
import type { Round } from './courier-round.ts'
import { tellLimiter } from './limiter-post.ts'

/** @returns whether it is there, and knows of all; else it is to be brought again */
export async function bringLimiter(round: Round, from: RunId, run: NewRun): Promise<boolean> {
  const { store, logger } = round.options
  const created = await store.create(run)
  const isHalfDone = created.status === 'exists' && !created.same
  if (created.status !== 'too-large' && !isHalfDone) return true
  const { first, bare, requests } = splitLine(run)
  const begun = await store.create(bare)
  if (begun.status === 'too-large') {
    // Nobody else knows who has a slot: without this run nobody would ever be let in again.
    logger.log('error', 'a limiter is too large to go on', { runId: from, by: run.runId, limitBytes: begun.limitBytes })
    return false
  }
  for (const { runId: waiter, gate, priority } of requests) {
    const notice = (runId: RunId) => ({ type: 'slot-request', runId, from: waiter, gate, priority }) as const
    const reply = await tellLimiter(store, { limiter: first, notice })
    if (reply === undefined) return false
    await round.heed(reply.runId, reply.result)
  }
  return true
}
