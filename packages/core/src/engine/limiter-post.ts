/**
 * Brings news to a limiter. Whoever asks knows the first run that it was; where it has moved on, that one says where to,
 * and one that has ended was followed by the next. The first is made by whoever comes first.
 */
import type { Gate } from '../model/gate.ts'
import type { RunId } from '../model/ids.ts'
import { generationOf, limiterId, newLimiter } from '../model/limiter.ts'
import type { LimiterNotice, NoticeResult } from '../ports/notice.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { findStart } from './find-start.ts'

export interface LimiterNews {
  /** The limiter, by the first run that it was. */
  readonly limiter: RunId
  /** What it is told, at the run that it is now. */
  readonly notice: (runId: RunId) => LimiterNotice
  /** How to make it, where it may be missing. */
  readonly gate?: Gate
}

export interface LimiterReply {
  /** Which run it is now. */
  readonly runId: RunId
  readonly result: NoticeResult
}

/** @returns undefined when it could not be found for now: somebody else is making it, or will */
export async function tellLimiter(
  store: IRunStore,
  { limiter, notice, gate }: LimiterNews,
): Promise<LimiterReply | undefined> {
  let made = 0
  for (let runId = limiter; ; ) {
    const result = await store.notify(notice(runId))
    switch (result.status) {
      case 'moved':
        runId = result.to
        break
      case 'ended':
        runId = limiterId(limiter, generationOf(limiter, runId) + 1)
        break
      case 'unknown-run':
        // Nothing was ever asked of it.
        if (gate === undefined && runId === limiter) return { runId, result }
        if (made++ > 0 || !(await make(store, limiter, runId, gate))) return undefined
        break
      default:
        return { runId, result }
    }
  }
}

/** The first is made for the asking; a later one by what the one before it has said, and nobody has brought yet. */
async function make(store: IRunStore, limiter: RunId, runId: RunId, gate: Gate | undefined): Promise<boolean> {
  if (runId === limiter) {
    const created = gate === undefined ? undefined : await store.create(newLimiter(gate))
    return created?.status === 'created' || created?.status === 'exists'
  }
  const before = limiterId(limiter, generationOf(limiter, runId) - 1)
  const start = await findStart(store, before, runId)
  if (start === undefined || start === 'unseen') return false
  const created = await store.create(start.run)
  return created.status === 'created' || created.status === 'exists'
}
