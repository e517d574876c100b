/** A consumer of a queue that a test can wait for. */
import type { Delivery } from '@baton/core/adapter'
import { Signal } from '../signal.ts'
import type { Stage } from './stage.ts'
import type { World } from './subject.ts'

interface ConsumerOptions {
  readonly world?: World
  readonly concurrency?: number
  readonly handle?: (delivery: Delivery) => Promise<void> | void
}

/** Takes deliveries and keeps them, so that a test can wait for as many as it expects. */
export class Consumer implements AsyncDisposable {
  readonly deliveries: Delivery[] = []
  readonly #stop = new AbortController()
  readonly #waiting: { readonly count: number; readonly signal: Signal }[] = []
  readonly #loop: Promise<void>
  readonly #stage: Stage

  constructor(stage: Stage, { world = stage.world, concurrency = 4, handle = acknowledge }: ConsumerOptions = {}) {
    this.#stage = stage
    const { signal } = this.#stop
    this.#loop = world.queue.consume(
      async (delivery) => {
        this.deliveries.push(delivery)
        for (const { count, signal } of this.#waiting) if (this.deliveries.length >= count) signal.fire()
        await handle(delivery)
      },
      { concurrency, signal },
    )
  }

  get instances(): string[] {
    return this.deliveries.map(({ job }) => job.instanceId)
  }

  /** Waits until this many deliveries came. */
  async received(count: number): Promise<void> {
    if (this.deliveries.length >= count) return
    const signal = new Signal()
    this.#waiting.push({ count, signal })
    await this.#stage.until(signal.wait(), Math.max(5_000, this.#stage.tickMs * 500))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#stage.until(this.#loop, 10_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function acknowledge(delivery: Delivery): Promise<void> {
  await delivery.acknowledge()
}
