/** What a limiter answers to news. Everything that is no news for a limiter changes nothing: it cannot be cancelled either. */
import type { RunFact } from '../model/event.ts'
import { knows, type LimiterState, limiterDueAtMs, limiterId, shouldMove } from '../model/limiter.ts'
import { NEVER } from '../model/run-state.ts'
import type { Notice } from '../ports/notice.ts'

export type LimiterAnswer =
  | { readonly type: 'moved'; readonly to: ReturnType<typeof limiterId> }
  | { readonly type: 'changed' | 'unchanged' }

interface LimiterSurroundings {
  readonly atMs: number
  readonly limiterNews: number | undefined
  readonly record: (fact: RunFact) => void
}

const LIMITER_NEWS = 2_000

export function notifyLimiter(
  limiter: LimiterState,
  notice: Notice,
  { atMs, limiterNews = LIMITER_NEWS, record }: LimiterSurroundings,
): LimiterAnswer {
  const { first, movedTo } = limiter
  switch (notice.type) {
    case 'slot-request':
    case 'slot-release':
    case 'slots-due':
      if (movedTo !== undefined) return { type: 'moved', to: limiterId(first, movedTo) }
      break
    case 'limiter-move': {
      const { generation } = notice
      if (movedTo === undefined || generation <= movedTo) return { type: 'unchanged' }
      record({ type: 'limiter-moved', generation })
      return { type: 'changed' }
    }
    default:
      return { type: 'unchanged' }
  }
  if (notice.type === 'slot-request') {
    const { from, gate, priority } = notice
    if (isNoNews(limiter, notice)) return { type: 'unchanged' }
    record({ type: 'slot-requested', from, gate, priority })
  } else if (notice.type === 'slot-release') {
    if (!knows(limiter, notice.from)) return { type: 'unchanged' }
    record({ type: 'slot-released', from: notice.from })
  } else {
    if (limiterDueAtMs(limiter) > atMs) return { type: 'unchanged' }
    record({ type: 'slots-reviewed' })
  }
  if (!shouldMove(limiter, limiterNews)) return { type: 'changed' }
  record({ type: 'limiter-moved', generation: limiter.generation + 1 })
  if (limiter.generation > 1) record({ type: 'run-completed' })
  return { type: 'changed' }
}

/** How long it takes until the next one may be let in, where only time stands in the way. */
export function againAfter(limiter: LimiterState, atMs: number): { readonly againInMs?: number } {
  const dueAtMs = limiterDueAtMs(limiter)
  return dueAtMs === NEVER ? {} : { againInMs: Math.max(0, dueAtMs - atMs) }
}

/** Asked again for what is known here, under the same limit. */
function isNoNews(limiter: LimiterState, { from, gate }: Extract<Notice, { type: 'slot-request' }>): boolean {
  return knows(limiter, from) && gate.most === limiter.most && gate.perMs === limiter.perMs
}
