import { BatonError } from '@baton/core'
import {
  type BaseDistributedAdapter,
  checkFunction,
  checkInjected,
  checkNumber,
  checkOptions,
  type IJobQueue,
  type ILogger,
  messageOf,
  settledWithin,
  silentLogger,
  systemClock,
  type WorkerSettings,
  wait,
} from '@baton/core/adapter'
import type { SqsJobQueue } from './job-queue.ts'
import { LambdaDelivery, type LambdaSqsRecord } from './lambda-delivery.ts'
import { LambdaQueue } from './lambda-queue.ts'

/** What Lambda brings for an event source of SQS. Anything without records, such as a schedule's event, is told to sweep. */
export interface LambdaEvent {
  readonly Records?: readonly LambdaSqsRecord[]
}

export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** The messages that are to come again, by their ids; Lambda deletes the others. */
export interface LambdaResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** What the adapter must be told, so that it takes its jobs from the invocations and leaves nothing behind when they end. */
export interface LambdaSettings extends Required<Pick<WorkerSettings, 'fanOut' | 'stopWithinMs' | 'abandonAfterMs'>> {
  readonly queue: IJobQueue
}

export interface LambdaHandlerOptions {
  /**
   * The queue that the function is called for, or several: it knows those for other priorities as `highQueue` and `lowQueue`.
   * Jobs are sent there, and what is handed back comes again after its delay.
   */
  readonly queue: SqsJobQueue
  /**
   * Makes an adapter, with ports of its own: `(settings) => new SqsAdapter({ table, dynamo, runtimeOptions, ...settings })`. It is
   * kept from one invocation to the next. Where time runs out, and before a sweep, it is closed and another one made;
   * clients that were given to it stay as they are.
   */
  readonly adapter: (settings: LambdaSettings) => Pick<BaseDistributedAdapter, 'start' | 'stop' | 'close' | 'running'>
  /** How long before the end of its time a function hands back what still runs. From 3 s. Default 5 s. */
  readonly marginMs?: number
  readonly logger?: ILogger
}

/** What a stop may take longer than its own time, for the last answers, and some for ours to Lambda. */
const BEYOND_STOP_MS = 2_000
/** For the first sweep of a worker, and the claims that follow. */
const SWEEP_MS = 2_000
const LOOK_MS = 20
/** To let others have at once what was not begun. */
const LAST_ANSWERS_MS = 500

/**
 * A function for AWS Lambda that executes the jobs of an SQS queue. The event source must have `ReportBatchItemFailures` among its
 * function response types, and the queue a visibility that is longer than the function's timeout, of which AWS recommends six
 * times.
 *
 * The records of an event are worked on side by side, and each is answered for on its own. An invocation ends when
 * nothing runs any more, since Lambda freezes the process; a node that would take longer than the invocation may is interrupted and
 * handed back, and begins again elsewhere. While nothing is sent, nobody sweeps: call the function every minute by a
 * schedule as well, with an event that has no records.
 */
export function createLambdaHandler(
  options: LambdaHandlerOptions,
): (event: LambdaEvent, context: LambdaContext) => Promise<LambdaResponse> {
  const invocations = new Invocations(checkHandlerOptions(options))
  return (event, context) => invocations.handle(event, context)
}

/** A worker that is kept between invocations, and where its jobs come from. */
interface Warm {
  readonly adapter: ReturnType<LambdaHandlerOptions['adapter']>
  readonly jobs: LambdaQueue
}

class Invocations {
  readonly #options: Required<LambdaHandlerOptions>
  #warm: Warm | undefined

  constructor(options: Required<LambdaHandlerOptions>) {
    this.#options = options
  }

  async handle(event: LambdaEvent, context: LambdaContext): Promise<LambdaResponse> {
    const { queue, logger, marginMs } = this.#options
    const records = Array.isArray(event?.Records) ? (event.Records as readonly LambdaSqsRecord[]) : []
    const deliveries = records.map((record) => new LambdaDelivery(record, { queue, logger }))
    this.#tellOfStrays(deliveries)
    const leftMs = context.getRemainingTimeInMillis() - marginMs
    if (leftMs > 0) await this.#work(deliveries, leftMs, event?.Records === undefined)
    else logger.log('warn', 'there was no time to begin; what came comes again', { records: records.length })
    await settledWithin(LAST_ANSWERS_MS, Promise.all(deliveries.map((delivery) => delivery.leave())))
    const failed = deliveries.filter((delivery) => !delivery.isDone)
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }

  #tellOfStrays(deliveries: readonly LambdaDelivery[]): void {
    const strays = deliveries.filter(({ isStray }) => isStray)
    for (const queue of new Set(strays.map(({ from }) => from))) {
      const records = strays.filter(({ from }) => from === queue).length
      const hint =
        'Give its name to the SqsJobQueue as queue, highQueue or lowQueue, or take its event source from the function.'
      this.#options.logger.log(
        'error',
        'the function is called for a queue that it was not told of; its jobs come again',
        {
          queue,
          records,
          hint,
        },
      )
    }
  }

  async #work(deliveries: readonly LambdaDelivery[], withinMs: number, isToSweep: boolean): Promise<void> {
    // Only a new worker sweeps at once.
    if (isToSweep) await this.#cool()
    this.#warm ??= this.#start()
    const warm = this.#warm
    const over = new AbortController()
    const swept = isToSweep ? wait(systemClock, SWEEP_MS, over.signal) : undefined
    const worked = this.#workedOn(warm, deliveries, swept, over.signal).finally(() => over.abort())
    await wait(systemClock, withinMs, over.signal)
    if (over.signal.aborted) return worked
    over.abort()
    this.#options.logger.log('info', 'time is up: what still runs is handed back', {
      running: warm.adapter.running.length,
    })
    await this.#cool(warm)
  }

  /** Until nothing runs any more, also of what the jobs have led to. */
  async #workedOn(
    { adapter, jobs }: Warm,
    deliveries: readonly LambdaDelivery[],
    swept: Promise<void> | undefined,
    over: AbortSignal,
  ): Promise<void> {
    await Promise.all([swept, ...deliveries.map((delivery) => delivery.serve(jobs))])
    while (adapter.running.length > 0 && !over.aborted) await wait(systemClock, LOOK_MS, over)
  }

  #start(): Warm {
    const { queue, logger, marginMs } = this.#options
    const jobs = new LambdaQueue(queue, logger)
    const stopMs = marginMs - BEYOND_STOP_MS
    const settings = { queue: jobs, fanOut: 'queue', stopWithinMs: stopMs, abandonAfterMs: stopMs } as const
    const adapter = this.#options.adapter(settings)
    adapter.start()
    return { adapter, jobs }
  }

  async #cool(warm = this.#warm): Promise<void> {
    if (this.#warm === warm) this.#warm = undefined
    await warm?.adapter.stop()
    // Nobody waits for it: the time that is left is for our answer.
    warm?.adapter.close().catch((error: unknown) => {
      this.#options.logger.log('debug', 'an adapter could not be closed', { error: messageOf(error) })
    })
  }
}

function checkHandlerOptions(options: LambdaHandlerOptions): Required<LambdaHandlerOptions> {
  checkOptions(options, ['queue', 'adapter', 'marginMs', 'logger'] satisfies (keyof LambdaHandlerOptions)[])
  checkInjected(options)
  const { queue, adapter, marginMs = 5_000, logger = silentLogger } = options
  if (typeof queue?.enqueue !== 'function' || typeof queue.takesFrom !== 'function') {
    const hint = 'Give the SqsJobQueue of the queue that calls the function.'
    throw new BatonError('INVALID_OPTION', { field: 'queue', message: 'must be an SqsJobQueue', hint })
  }
  if (adapter === undefined) throw new BatonError('INVALID_OPTION', { field: 'adapter', message: 'must be a function' })
  checkFunction(adapter, 'adapter')
  checkNumber(marginMs, 'marginMs', { least: 3_000, most: 600_000 })
  return { queue, adapter, marginMs, logger }
}
