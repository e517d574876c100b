import {
  BatonClient,
  InMemoryAdapter,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
  type IRunStore,
  type RunnableFlow,
  type RunSummary,
} from '@baton/core'
import { TestClock } from '@baton/testing'
import { Schedules, withSchedules } from '../src/index.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

interface WorkerWishes {
  readonly store?: IRunStore
  readonly sweepMs?: number
  /** Its test closes it. */
  readonly isMortal?: boolean
}

/** A store in memory on a clock that the test moves, workers, and somebody who keeps schedules. */
export class World implements AsyncDisposable {
  readonly clock = new TestClock({ nowMs: Date.UTC(2026, 0, 5, 9) })
  readonly store = new InMemoryRunStore({ clock: this.clock })
  readonly queue = new InMemoryJobQueue({ clock: this.clock })
  readonly schedules = new Schedules({ store: this.store, queue: this.queue, clock: this.clock })
  readonly client = new BatonClient({ store: this.store, queue: this.queue, clock: this.clock })
  readonly #coordinationStore = new InMemoryCoordinationStore({ clock: this.clock })
  readonly #workers: InMemoryAdapter[] = []

  /** A worker that has these flows and keeps their schedules. It stops with the world. */
  worker(
    flows: readonly RunnableFlow[],
    { store = this.store, sweepMs = 5_000, isMortal = false }: WorkerWishes = {},
  ): InMemoryAdapter {
    const adapter = new InMemoryAdapter({
      store,
      queue: this.queue,
      coordinationStore: this.#coordinationStore,
      runtimeOptions: { flows: withSchedules(flows) },
      clock: this.clock,
      sweepMs,
      workerId: isMortal ? 'mortal' : `worker-${this.#workers.length + 1}`,
      retentionMs: Number.POSITIVE_INFINITY,
    })
    adapter.start()
    if (!isMortal) this.#workers.push(adapter)
    return adapter
  }

  /** The runs that a schedule has started, the first one first. */
  async runsOf(id: string): Promise<RunSummary[]> {
    const runs: RunSummary[] = []
    let cursor: string | undefined
    do {
      const query = { tag: `schedule:${id}`, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) }
      const page = await this.store.list(query)
      runs.push(...page.runs)
      cursor = page.cursor
    } while (cursor !== undefined)
    return runs.reverse()
  }

  /** The instants of those runs, as texts without seconds. */
  async instantsOf(id: string): Promise<string[]> {
    const runs = await this.runsOf(id)
    return runs.map(({ runId }) => runId.slice(id.length + 1).replace(':00Z', 'Z'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clock.until(Promise.all(this.#workers.map((worker) => worker.stop())), HOUR)
  }
}
