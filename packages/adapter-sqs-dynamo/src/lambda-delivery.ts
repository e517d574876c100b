import { type Delivery, type ILogger, type Job, jobOfText, messageOf } from '@baton/core/adapter'
import type { SqsJobQueue } from './job-queue.ts'
import type { LambdaQueue } from './lambda-queue.ts'

/** A message of SQS as Lambda brings it: of all that it says, what is needed here. */
export interface LambdaSqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  /** Of the queue that it is from. */
  readonly eventSourceARN?: string
  readonly attributes?: { readonly ApproximateReceiveCount?: string }
}

/** What nobody has answered for comes again after this, doubled each time … */
const RETRY_MS = 1_000
/** … up to this. */
const LONGEST_RETRY_MS = 60_000

interface Tools {
  readonly queue: Pick<SqsJobQueue, 'handBack' | 'deadLetter' | 'takesFrom'>
  readonly logger: ILogger
}

/** One record of an invocation. Lambda deletes the message if it is done when the invocation ends, and keeps it from others till then. */
export class LambdaDelivery implements Delivery {
  readonly messageId: string
  readonly redelivered: number
  /** The name of the queue that it is from, if it says so. */
  readonly from: string | undefined
  readonly #record: LambdaSqsRecord
  readonly #tools: Tools
  #job: Job | undefined
  #state: 'open' | 'done' | 'given-back' = 'open'

  constructor(record: LambdaSqsRecord, tools: Tools) {
    this.messageId = record.messageId
    this.redelivered = Math.max(0, Number(record.attributes?.ApproximateReceiveCount ?? 1) - 1)
    this.from = record.eventSourceARN?.split(':').at(-1)
    this.#record = record
    this.#tools = tools
  }

  get job(): Job {
    this.#job ??= jobOfText(this.#record.body)
    return this.#job
  }

  /** Whether nobody needs it any more. What was left open comes again. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Whether the function was told nothing of the queue that it is from. Then it could not be given back, and is left to come again. */
  get isStray(): boolean {
    return this.from !== undefined && !this.#tools.queue.takesFrom(this.from)
  }

  /** Gives it to whoever takes from there. Resolves when they are done with it, or nobody takes it. Never throws. */
  async serve(jobs: LambdaQueue): Promise<void> {
    if (this.isStray) return
    const reason = this.#whyNoJob()
    if (reason === undefined) return jobs.bring(this)
    try {
      await this.deadLetter(reason)
    } catch (error) {
      this.#tools.logger.log('warn', 'a message that is no job could not be put away', { error: messageOf(error) })
    }
  }

  acknowledge(): void {
    if (this.#state === 'open') this.#state = 'done'
  }

  /** Without the delay where SQS does not take it: then it comes again when its visibility is over. */
  async handBack({ delayMs }: { readonly delayMs: number }): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'given-back'
    await this.#tools.queue.handBack(this.#record.receiptHandle, { delayMs, from: this.from })
  }

  /** Nobody will answer for it any more. Never throws. */
  async leave(): Promise<void> {
    const delayMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(this.redelivered, 10))
    await this.handBack({ delayMs }).catch(() => {})
  }

  /** Nothing: the visibility of its queue is longer than a function may run. */
  extend(): void {}

  async deadLetter(reason: string): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'given-back'
    await this.#tools.queue.deadLetter(this.#record.body, reason)
    this.#state = 'done'
  }

  #whyNoJob(): string | undefined {
    try {
      this.#job = jobOfText(this.#record.body)
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }
}
