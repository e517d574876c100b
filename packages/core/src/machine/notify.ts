/** News comes to a run: what it means (`hear.ts`) is recorded, and whoever brought it is told what came of it. */
import type { RunFact } from '../model/event.ts'
import type { LimiterState } from '../model/limiter.ts'
import { isTerminal } from '../model/run.ts'
import type { RunState } from '../model/run-state.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { decidedBefore, hear, hearAfterEnd } from './hear.ts'
import { againAfter, notifyLimiter } from './limiter-machine.ts'
import type { MachineOptions } from './machine-options.ts'
import { NO_IDS, takeAllClaimable, takeOpened, takeSent } from './reminders.ts'
import { signalOf } from './run-signal.ts'

interface Surroundings {
  readonly atMs: number
  readonly options: MachineOptions
  readonly record: (fact: RunFact) => void
  /** Ends the run where nothing is left to happen. */
  readonly conclude: () => void
}

export function notify(state: RunState, notice: Notice, surroundings: Surroundings): NoticeResult {
  const decided = decidedBefore(state, notice, signalOf(state))
  if (decided !== undefined) return decided
  if (isTerminal(state.status)) return hearAfterEnd(state, notice, signalOf(state))
  if (state.limiter !== undefined) return tellLimiter(state, state.limiter, notice, surroundings)
  const { atMs, options, record, conclude } = surroundings
  const { redispatchMs } = options
  const before = state.seq
  const wasHeld = state.held !== undefined
  const heard = hear(state, notice, atMs)
  if (heard !== undefined && 'refusal' in heard) return heard.refusal
  for (const fact of heard?.facts ?? []) record(fact)
  const woken = wasHeld && notice.type === 'unpause' ? takeAllClaimable(state, redispatchMs, atMs) : NO_IDS
  conclude()
  if (state.seq === before) return { status: 'unchanged', run: signalOf(state) }
  const opened = takeOpened(state, redispatchMs, atMs)
  const ready = woken.length === 0 ? opened : woken
  const sent = state.sent.length === 0 ? {} : { sent: takeSent(state, redispatchMs, atMs) }
  return { status: 'accepted', ready, ...sent, run: signalOf(state) }
}

function tellLimiter(
  state: RunState,
  limiter: LimiterState,
  notice: Notice,
  { atMs, options, record }: Surroundings,
): NoticeResult {
  const { redispatchMs, limiterNews } = options
  const answer = notifyLimiter(limiter, notice, { atMs, limiterNews, record })
  if (answer.type === 'moved') return { status: 'moved', to: answer.to }
  const run = signalOf(state)
  const again = againAfter(limiter, atMs)
  if (answer.type === 'unchanged') return { status: 'unchanged', ...again, run }
  const sent = state.sent.length === 0 ? {} : { sent: takeSent(state, redispatchMs, atMs) }
  return { status: 'accepted', ready: NO_IDS, ...sent, ...again, run }
}
