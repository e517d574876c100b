/**
 * The sweep: what time has made due. Expired leases, sleeps and retries whose time has come, waits that are over, jobs
 * that nobody answered: for each a job is sent again, with a growing interval. Messages that nobody delivered. Deadlines that have passed are recorded,
 * and runs past their retention removed. One worker at a time sweeps, so that idle cost does not grow with workers.
 */
import type { RunId } from '../model/ids.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import { LogThrottle } from '../ports/log-throttle.ts'
import type { ILogger } from '../ports/logger.ts'
import type { DueItem, IRunStore } from '../ports/run-store.ts'
import type { Courier } from './courier.ts'
import type { DueMessage } from './find-start.ts'
import { reminderFor } from './jobs.ts'
import { SweepRole } from './sweep-role.ts'

export interface SweeperOptions {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly courier: Courier
  readonly coordinationStore: ICoordinationStore | undefined
  readonly workerId: string
  readonly sweepMs: number
  readonly retentionMs: number
  readonly clock: IClock
  readonly logger: ILogger
  /** Called for a run that a sweep has stopped. */
  readonly onStop?: (runId: RunId) => void
}

const ROLE = 'baton/sweeper'
const PAGE = 200
/** Of one sweep: what is left then waits for the next, so that a flood does not keep the role from moving on. */
const MOST_PAGES = 50
const PURGE_EVERY_MS = 60_000
const PURGE_LIMIT = 1_000

export class Sweeper {
  readonly #options: SweeperOptions
  readonly #unsent: LogThrottle
  readonly #role: SweepRole
  readonly #failedSweeps: LogThrottle
  readonly #failedTurns: LogThrottle
  #nextPurgeAtMs = 0

  constructor(options: SweeperOptions) {
    this.#options = options
    this.#unsent = new LogThrottle(options.clock)
    this.#role = new SweepRole({ ...options, name: ROLE })
    this.#failedSweeps = new LogThrottle(options.clock)
    this.#failedTurns = new LogThrottle(options.clock)
  }

  /** Sweeps until the signal fires, and calls back after each turn, role or not. */
  async run(signal: AbortSignal, everyTurn: () => Promise<void>): Promise<void> {
    const { clock, sweepMs, logger, workerId } = this.#options
    // Each tells of its own failures: one that goes well says nothing of the other.
    const parts = [
      { part: () => this.#sweepWithRole(signal), failures: this.#failedSweeps },
      { part: () => everyTurn().then(() => true), failures: this.#failedTurns },
    ]
    while (!signal.aborted) {
      for (const { part, failures } of parts) {
        try {
          if (await part()) failures.over()
        } catch (error) {
          logger.log(failures.level(), 'a sweep failed; the next one tries again', { workerId, error })
        }
      }
      await wait(clock, sweepMs, signal)
    }
    await this.#role.leave()
  }

  /** @returns whether it was ours to sweep */
  async #sweepWithRole(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#role.has())) return false
    await this.sweep(signal)
    return true
  }

  /** One sweep. @returns how many jobs were sent */
  async sweep(signal?: AbortSignal): Promise<number> {
    const { store } = this.#options
    let sent = 0
    for (let page = 0; page < MOST_PAGES && !signal?.aborted; page++) {
      const items = await store.due({ limit: PAGE, unsentOnly: true })
      const reminded = await this.#remind(items)
      sent += reminded ?? 0
      // Without a queue the same would be found again and again.
      if (items.length < PAGE || reminded === undefined) break
    }
    await this.#purge()
    return sent
  }

  /** @returns for how many jobs were sent; undefined where the queue takes none, and whoever looks into the store finds them */
  async #remind(items: readonly DueItem[]): Promise<number | undefined> {
    const { store, queue, courier, logger, workerId } = this.#options
    const instances = items.filter((item) => item.type === 'instance')
    for (const item of items) {
      if (item.type === 'slots') await courier.review(item.runId)
      if (item.type === 'deadline') await this.#passDeadline(item.runId)
    }
    await this.#deliver(items.filter((item) => item.type === 'message'))
    // Nobody who could publish them has come by: `journal-sweep.ts`. It shall not be told of them again and again.
    const journals = items.filter((item) => item.type === 'journal')
    if (journals.length > 0) await store.redispatch(journals)
    if (instances.length === 0) return 0
    try {
      await queue.enqueue(instances.map(reminderFor))
      this.#unsent.over()
    } catch (error) {
      const fields = { workerId, jobs: instances.length, error }
      logger.log(this.#unsent.level(), 'the queue takes no jobs; workers look into the store', fields)
      return undefined
    }
    await store.redispatch(instances)
    return instances.length
  }

  /** One run that cannot be told does not keep all others from their sweep. */
  async #passDeadline(runId: RunId): Promise<void> {
    const { courier, logger, onStop } = this.#options
    try {
      await courier.tell({ type: 'deadline', runId })
    } catch (error) {
      logger.log('warn', 'a deadline could not be recorded; the next sweep tries again', { runId, error })
      return
    }
    onStop?.(runId)
  }

  /** What its sender could not deliver: it died, or the other run could not be reached. */
  async #deliver(items: readonly DueMessage[]): Promise<void> {
    if (items.length === 0) return
    const { store, courier } = this.#options
    // First, so that what cannot be delivered is not looked at again in every sweep.
    await store.redispatch(items)
    await courier.deliverFound(items)
  }

  async #purge(): Promise<void> {
    const { store, clock, retentionMs } = this.#options
    const nowMs = clock.now()
    if (retentionMs === Number.POSITIVE_INFINITY || nowMs < this.#nextPurgeAtMs) return
    this.#nextPurgeAtMs = nowMs + Math.min(PURGE_EVERY_MS, retentionMs)
    const removed = await store.purge({ endedBeforeMs: nowMs - retentionMs, limit: PURGE_LIMIT })
    // There is more: the next sweep goes on.
    if (removed >= PURGE_LIMIT) this.#nextPurgeAtMs = nowMs
  }
}
