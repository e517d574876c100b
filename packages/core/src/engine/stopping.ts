/**
 * How a worker that begins nothing new comes to its end.
 *
 *   what runs ends ─┬─► in time: the rest is handed back ─────────────────┬─► nothing runs any more
 *                   └─► `abandonAfterMs` before its time: is interrupted ─┤
 *                                                                         └─► no answer: left to its leases
 *
 * A store or a queue may give no answer at all. Nobody who stops waits for that: a process that shall go, goes.
 */
import { type IClock, wait } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import type { JournalSweep } from './journal-sweep.ts'
import type { Leases } from './leases.ts'
import type { Publisher } from './publisher.ts'
import type { Slots } from './slots.ts'
import type { WorkInHand } from './work-in-hand.ts'

/** How long a stop waits for a journal sink. */
const LAST_ENTRIES_MS = 2_000
/** How long a stop waits for the answers to what it has handed back. */
const LAST_ANSWERS_MS = 1_000

interface StoppingWorker {
  readonly workerId: string
  readonly clock: IClock
  readonly logger: ILogger
  readonly slots: Slots
  readonly leases: Leases
  readonly inHand: WorkInHand
  readonly publisher: Publisher | undefined
  readonly journals: JournalSweep | undefined
  /** What takes jobs and sweeps, until it has noticed that it shall not; undefined where it never began. */
  loop(): Promise<unknown> | undefined
}

interface StopTimes {
  readonly stopWithinMs: number
  readonly abandonAfterMs: number
}

/** Resolves when nothing runs any more, or soon after its time. */
export async function endWork(worker: StoppingWorker, { stopWithinMs, abandonAfterMs }: StopTimes): Promise<void> {
  const { clock, leases } = worker
  const cancel = clock.after(Math.max(0, stopWithinMs - abandonAfterMs), () => {
    for (const attempt of leases.attempts) attempt.interrupt('released')
  })
  const ended = new AbortController()
  const ending = whenEnded(worker).finally(() => ended.abort())
  await Promise.race([ending, wait(clock, Math.max(stopWithinMs, abandonAfterMs) + LAST_ANSWERS_MS, ended.signal)])
  if (!ended.signal.aborted) leaveBehind(worker)
  cancel()
  leases.close()
}

async function whenEnded({ slots, inHand, publisher, journals, loop }: StoppingWorker): Promise<void> {
  const given = inHand.giveAway()
  await slots.whenIdle()
  await given
  await loop()?.catch(() => {})
  await publisher?.stop(LAST_ENTRIES_MS)
  await journals?.leave()
}

/** Somebody gives no answer. Whatever comes of what was asked, the fence of each claim says whether it counts. */
function leaveBehind({ workerId, logger, leases }: StoppingWorker): void {
  const { attempts } = leases
  logger.log('warn', 'stopped without an answer of the store or the queue: claims held run out by their leases', {
    workerId,
    held: attempts.map(({ runId, instanceId }) => ({ runId, instanceId })),
  })
  for (const attempt of attempts) attempt.interrupt('lost')
}
