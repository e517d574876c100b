import {
  type ConsumeOptions,
  type Delivery,
  type IJobQueue,
  type ILogger,
  type Job,
  messageOf,
  onAbort,
} from '@baton/core/adapter'

interface Waiting {
  readonly delivery: Delivery
  readonly resolve: () => void
}

/** Where what is sent goes, and how it answers. */
type Sender = Pick<IJobQueue, 'enqueue' | 'acknowledge'>

/** A queue to which somebody brings what is to be delivered, instead of asking for it. What is sent goes to another one. */
export class LambdaQueue implements IJobQueue {
  readonly #sender: Sender
  readonly #logger: ILogger
  readonly #waiting: Waiting[] = []
  #look: () => void = () => {}

  constructor(sender: Sender, logger: ILogger) {
    this.#sender = sender
    this.#logger = logger
  }

  get acknowledge(): IJobQueue['acknowledge'] {
    return this.#sender.acknowledge
  }

  async enqueue(jobs: readonly Job[]): Promise<void> {
    await this.#sender.enqueue(jobs)
  }

  /** Resolves when its handler has ended, or when whoever consumed has stopped before it could be given to them. */
  bring(delivery: Delivery): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ delivery, resolve })
      this.#look()
    })
  }

  /** By one at a time. */
  consume(handler: (delivery: Delivery) => Promise<void>, { concurrency, signal }: ConsumeOptions): Promise<void> {
    return new Promise((resolve) => {
      let running = 0
      const serve = async ({ delivery, resolve: served }: Waiting) => {
        running += 1
        try {
          await handler(delivery)
        } catch (error) {
          const { runId } = delivery.job
          this.#logger.log('warn', 'a handler failed, its job comes again', { runId, error: messageOf(error) })
        }
        running -= 1
        served()
        look()
      }
      const look = () => {
        while (!signal.aborted && running < concurrency) {
          const next = this.#waiting.shift()
          if (next === undefined) return
          void serve(next)
        }
        if (!signal.aborted) return
        for (const { resolve: left } of this.#waiting.splice(0)) left()
        if (running > 0) return
        stopListening()
        resolve()
      }
      const stopListening = onAbort(signal, () => look())
      this.#look = look
      look()
    })
  }

  /** The queue that it sends to belongs to who gave it. */
  close(): void {}
}
