import {
  BatonClient,
  type IJobQueue,
  type ILogger,
  type IRunStore,
  type RunHandle,
  type RunnableFlow,
} from '@baton/core'
import { BaseDistributedAdapter, type DistributedAdapterOptions } from '@baton/core/adapter'
import type { Stage } from './stage.ts'
import type { World } from './subject.ts'

/** An adapter that adds nothing to the base. */
class PlainAdapter extends BaseDistributedAdapter {}

export interface CrewOptions {
  readonly flows: readonly RunnableFlow[]
  readonly world?: World
}

export interface MemberOptions extends Partial<Omit<DistributedAdapterOptions, 'coordinationStore'>> {
  readonly world?: World
}

/** The workers and the client of one case, on the ports of its world. */
export class Crew implements AsyncDisposable {
  readonly leaseMs: number
  readonly sweepMs: number
  readonly client: BatonClient
  readonly #stage: Stage
  readonly #flows: readonly RunnableFlow[]
  readonly #workers: BaseDistributedAdapter[] = []

  constructor(stage: Stage, ...flows: readonly RunnableFlow[]) {
    this.#stage = stage
    this.#flows = flows
    this.leaseMs = 60 * stage.tickMs
    this.sweepMs = 10 * stage.tickMs
    this.client = this.clientOf()
  }

  /** Within this time, what is due is claimed while an able worker lives (P4). */
  get boundMs(): number {
    return this.leaseMs + 2 * this.sweepMs
  }

  clientOf(ports: { readonly store?: IRunStore; readonly queue?: IJobQueue } = {}): BatonClient {
    const { store, queue } = this.#stage.world
    return new BatonClient({ store, queue, ...ports, flows: this.#flows, clock: this.#stage.clock })
  }

  /** An adapter that has started. It stops with the crew. */
  worker({ world = this.#stage.world, ...options }: MemberOptions = {}): BaseDistributedAdapter {
    const adapter = this.make({ world, ...options })
    adapter.start()
    return adapter
  }

  make({ world = this.#stage.world, ...options }: MemberOptions = {}): BaseDistributedAdapter {
    const { store, queue, coordinationStore } = world
    const all: DistributedAdapterOptions = {
      store,
      queue,
      coordinationStore,
      runtimeOptions: { flows: this.#flows },
      clock: this.#stage.clock,
      leaseMs: this.leaseMs,
      sweepMs: this.sweepMs,
      abandonAfterMs: 5 * this.#stage.tickMs,
      stopWithinMs: 10 * this.#stage.tickMs,
      retentionMs: Number.POSITIVE_INFINITY,
      workerId: `worker-${this.#workers.length + 1}`,
      // Both ways are worth a look; what a case does to its queue shall be seen.
      fanOut: options.queue !== undefined || this.#workers.length % 2 === 1 ? 'queue' : 'own-places',
      ...options,
    }
    const adapter = world.adapter?.(all) ?? new PlainAdapter(all)
    this.#workers.push(adapter)
    return adapter
  }

  /** Waits for the end of a run, however it ends. */
  outcome<Output>(handle: RunHandle<Output>, withinMs = this.boundMs * 20) {
    return this.#stage.until(handle.outcome(), withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stage.until(Promise.all(this.#workers.map((worker) => worker.stop())), 60_000)
  }
}

/** A log that a test can read. */
export class KeptLog implements ILogger {
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = []

  log(_level: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.lines.push({ message, fields })
  }
}
