/**
 * The rules of a schedule, without a clock and without a store: what it remembers, what it hears and what time it is
 * give what it does next. So every rule can be tried in a table, and a worker that asks twice does the same twice.
 */
import { instantAfter, passedInstants } from './instants.ts'
import type { Spec } from './spec.ts'
import type { Firing, ScheduleState } from './state.ts'

export type News =
  /** Nobody said anything until the next instant was due. */
  | { readonly type: 'due' }
  | { readonly type: 'ended'; readonly runId: string }
  | { readonly type: 'paused'; readonly reason?: string }
  | { readonly type: 'unpaused' }
  | { readonly type: 'triggered'; readonly runId: string }
  | { readonly type: 'updated'; readonly spec: Spec }
  /** A change that does not go together with what the schedule is told by now. */
  | { readonly type: 'unfit'; readonly code: string; readonly message: string }
  /** The flow refused this start. */
  | { readonly type: 'refused'; readonly firing: Firing; readonly code: string; readonly message: string }

export interface Advance {
  readonly state: ScheduleState
  readonly starts: readonly Firing[]
  readonly cancels: readonly string[]
}

/** An instant this long ago is one that nobody was there for. Less is the usual lateness of sweeps and busy workers. */
const MISSED_AFTER_MS = 60_000
/** Of missed instants at most so many are caught up on; of runs in line at most so many wait. */
export const MOST_CAUGHT_UP = 100
export const MOST_QUEUED = 100

export function advance(before: ScheduleState, spec: Spec, news: News, nowMs: number): Advance {
  const draft = new Draft(before, spec)
  // What was due before the news came goes first, by the rules that held then.
  draft.takeDue(nowMs)
  switch (news.type) {
    case 'due':
      break
    case 'ended':
      draft.ended(news.runId)
      break
    case 'paused':
      draft.change({ isPaused: true, ...(news.reason === undefined ? {} : { pauseReason: news.reason }) })
      break
    case 'unpaused':
      draft.unpause(nowMs)
      break
    case 'triggered':
      draft.fire({ runId: news.runId, atMs: nowMs, triggered: true })
      break
    case 'updated':
      // The old instants are behind us, the new ones begin now.
      draft.spec = news.spec
      draft.passOver(nowMs)
      draft.release()
      break
    case 'unfit':
      draft.change({ lastRefusal: { code: news.code, message: news.message, atMs: nowMs } })
      break
    case 'refused':
      draft.refused(news, nowMs)
      break
  }
  return draft.done()
}

/** When the schedule wants to be woken if nobody says anything; undefined where only news can move it. */
export function wakeAtMs(state: ScheduleState, spec: Spec): number | undefined {
  if (state.isPaused || isBlocked(state, spec) || isSpent(state, spec)) return undefined
  const next = instantAfter(spec, state.cursorMs)
  return next === undefined ? undefined : dueAtMs(next, spec)
}

/** Nothing will ever be started again. */
export function isOver(state: ScheduleState, spec: Spec): boolean {
  if (state.queue.length > 0) return false
  return isSpent(state, spec) || instantAfter(spec, state.cursorMs) === undefined
}

/** An instant, with its jitter. The same on every worker, since it comes of the schedule and the instant alone. */
export function dueAtMs(instantMs: number, { id, jitterMs = 0 }: Spec): number {
  return jitterMs === 0 ? instantMs : instantMs + (hashOf(`${id}@${instantMs}`) % (jitterMs + 1))
}

function runIdFor(id: string, instantMs: number): string {
  return `${id}@${new Date(instantMs).toISOString().replace('.000Z', 'Z')}`
}

function isSpent({ startedCount }: ScheduleState, { maxRuns }: Spec): boolean {
  return maxRuns !== undefined && startedCount >= maxRuns
}

/** More instants could only be left out, so there is no need to wake for each: they are counted when the run has ended. */
function isBlocked({ running, queue }: ScheduleState, { overlap = 'skip' }: Spec): boolean {
  if (running === undefined) return false
  return overlap === 'skip' || (overlap === 'queue' && queue.length >= MOST_QUEUED)
}

class Draft {
  #state: ScheduleState
  spec: Spec
  readonly #starts: Firing[] = []
  readonly #cancels: string[] = []

  constructor(state: ScheduleState, spec: Spec) {
    this.#state = state
    this.spec = spec
  }

  change(members: Partial<ScheduleState>): void {
    this.#state = { ...this.#state, ...members }
  }

  done(): Advance {
    return { state: this.#state, starts: this.#starts, cancels: this.#cancels }
  }

  takeDue(nowMs: number): void {
    const { spec } = this
    if (this.#state.isPaused) return
    const { catchUp = 'one' } = spec
    const { latest, earlierCount } = passedInstants(spec, this.#state.cursorMs, nowMs, MOST_CAUGHT_UP)
    // With jitter, the last ones may still have to wait.
    const notYet = latest.findIndex((ms) => dueAtMs(ms, spec) > nowMs)
    const due = notYet === -1 ? latest : latest.slice(0, notYet)
    const [newest] = due.slice(-1)
    if (newest === undefined) return
    this.#skip(earlierCount)
    const firstFresh = due.findIndex((ms) => nowMs - dueAtMs(ms, spec) <= MISSED_AFTER_MS)
    const missed = firstFresh === -1 ? due : due.slice(0, firstFresh)
    const fresh = due.slice(missed.length)
    const caughtUp = catchUp === 'all' ? missed : catchUp === 'one' && fresh.length === 0 ? missed.slice(-1) : []
    this.#skip(missed.length - caughtUp.length)
    for (const atMs of [...caughtUp, ...fresh]) this.fire({ runId: runIdFor(spec.id, atMs), atMs })
    this.change({ cursorMs: newest })
  }

  /** Starts it, or does what the policy says where another one runs. */
  fire(firing: Firing): void {
    const { running, queue, isCancelling } = this.#state
    if (firing.triggered === undefined && isSpent(this.#state, this.spec)) return
    const { overlap = 'skip' } = this.spec
    if (running === undefined || overlap === 'allow') return this.#start(firing)
    if (overlap === 'skip') return this.#skip(1)
    if (overlap === 'queue') {
      if (queue.length >= MOST_QUEUED) return this.#skip(1)
      return this.change({ queue: [...queue, firing] })
    }
    if (!isCancelling) this.#cancels.push(running.runId)
    this.#skip(queue.length)
    this.change({ queue: [firing], isCancelling: true })
  }

  ended(runId: string): void {
    if (this.#state.running?.runId !== runId) return
    this.#forgetRunning()
    this.release()
  }

  /** Starts what waits in line, as far as the policy allows. A pause holds back instants, not what somebody asked for. */
  release(): void {
    const { overlap } = this.spec
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#state.running !== undefined && overlap !== 'allow') return
      const { runId } = next
      this.change({ queue: this.#state.queue.filter((each) => each.runId !== runId) })
      if (next.triggered === true || !isSpent(this.#state, this.spec)) this.#start(next)
    }
  }

  #next(): Firing | undefined {
    const { isPaused, queue } = this.#state
    return isPaused ? queue.find(({ triggered }) => triggered === true) : queue[0]
  }

  unpause(nowMs: number): void {
    if (!this.#state.isPaused) return
    const { pauseReason: _, ...rest } = this.#state
    this.#state = { ...rest, isPaused: false }
    this.passOver(nowMs)
    this.release()
  }

  /** Instants up to now are no longer asked about. A clock that went back does not make them come again. */
  passOver(nowMs: number): void {
    this.change({ cursorMs: Math.max(this.#state.cursorMs, nowMs) })
  }

  /** Nothing was started: it does not count, and the next one need not wait. */
  refused({ firing, code, message }: Extract<News, { type: 'refused' }>, nowMs: number): void {
    this.#count(firing, -1)
    this.change({ refusedCount: this.#state.refusedCount + 1, lastRefusal: { code, message, atMs: nowMs } })
    this.ended(firing.runId)
  }

  #start(firing: Firing): void {
    this.#starts.push(firing)
    this.#count(firing, 1)
    if (this.spec.overlap !== 'allow') this.change({ running: firing })
  }

  #count({ triggered }: Firing, change: number): void {
    const { startedCount, triggeredCount } = this.#state
    this.change(
      triggered === true ? { triggeredCount: triggeredCount + change } : { startedCount: startedCount + change },
    )
  }

  #skip(count: number): void {
    this.change({ skippedCount: this.#state.skippedCount + count })
  }

  #forgetRunning(): void {
    const { running: _, ...rest } = this.#state
    this.#state = { ...rest, isCancelling: false }
  }
}

/** FNV-1a: spreads short texts evenly, and is the same everywhere. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let place = 0; place < text.length; place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193)
  }
  return hash >>> 0
}
