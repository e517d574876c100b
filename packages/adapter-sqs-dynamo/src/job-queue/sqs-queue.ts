import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { BatonError } from '@baton/core'
import { LateError } from '@baton/core/adapter'
import { ask } from '../asking.ts'
import { awsCodesOf, queueFailure } from '../aws-errors.ts'
import { isFifoName, isUrl } from '../job-queue-options.ts'
import { Batcher, type EntryFailure } from './batcher.ts'

/** What is to be sent. `groupId` counts on a FIFO queue only. */
export interface Outgoing {
  readonly body: string
  readonly groupId: string
  readonly attributes?: Readonly<Record<string, MessageAttributeValue>>
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly most: number
  readonly waitMs: number
  /** How long what comes is kept from others. */
  readonly visibilityMs: number
  readonly signal: AbortSignal
}

/** Who acknowledges does not wait for it, so ten may well come together. */
const GATHER_DELETES_MS = 20
const GATHER_CHANGES_MS = 5
const PARALLEL = 8
/** After an answer that never came: others are not held up for as long each. */
const IMPATIENT_MS = 1_000
/** Beyond the time that SQS was told to wait. */
const RECEIVE_WITHIN_MS = 10_000

/** The attribute in which a dead letter carries its reason. */
export const REASON = 'BatonReason'

/** One queue of SQS, and what can be asked of it. Everything rejects with `QUEUE_UNAVAILABLE` or `INVALID_OPTION`. */
export class SqsQueue {
  /** Its name, or its URL. */
  readonly name: string
  readonly isFifo: boolean
  readonly #client: SQSClient
  readonly #option: string
  readonly #timeoutMs: number
  #url: Promise<string> | undefined
  #isSilent = false
  #hasAnswered = false

  readonly #sends = new Batcher<SendMessageBatchRequestEntry>({
    request: (entries) => this.#sendAll(entries),
    sizeOf: ({ MessageBody = '', MessageAttributes = {} }) =>
      Buffer.byteLength(MessageBody) + Buffer.byteLength(JSON.stringify(MessageAttributes)),
    gatherMs: 0,
    parallel: PARALLEL,
  })
  readonly #deletes = new Batcher<string>({
    request: (handles) => this.#deleteAll(handles),
    gatherMs: GATHER_DELETES_MS,
    parallel: PARALLEL,
  })
  readonly #changes = new Batcher<{ readonly handle: string; readonly seconds: number }>({
    request: (changes) => this.#changeAll(changes),
    gatherMs: GATHER_CHANGES_MS,
    parallel: PARALLEL,
  })

  /** @param name its name or its URL @param option which names it, for what is said when it cannot be used */
  constructor(
    client: SQSClient,
    name: string,
    { option, timeoutMs }: { readonly option: string; readonly timeoutMs: number },
  ) {
    this.#client = client
    this.name = name
    this.#option = option
    this.#timeoutMs = timeoutMs
    this.isFifo = isFifoName(name)
  }

  /** Resolves when SQS has said that it is there. Of a URL nothing is asked: it names one. */
  async look(): Promise<void> {
    await this.#ask(async () => {})
  }

  /** Resolves when SQS has it. `INVALID_JOB` where SQS will never take it. */
  send({ body, groupId, attributes }: Outgoing): Promise<void> {
    return this.#sends.add({
      Id: '',
      MessageBody: body,
      ...(attributes === undefined ? {} : { MessageAttributes: { ...attributes } }),
      // Never the same twice: for five minutes SQS would swallow what has the same. The client's own tries keep it.
      ...(this.isFifo ? { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() } : {}),
    })
  }

  async receive({ most, waitMs, visibilityMs, signal }: ReceiveOptions): Promise<readonly Message[]> {
    const { Messages = [] } = await this.#ask(
      (QueueUrl, options) => {
        const command = new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: most,
          WaitTimeSeconds: secondsOf(waitMs),
          VisibilityTimeout: secondsOf(visibilityMs),
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          MessageAttributeNames: [REASON],
        })
        return this.#client.send(command, options)
      },
      { withinMs: waitMs + RECEIVE_WITHIN_MS, signal },
    )
    return Messages
  }

  /** Deletes a message that was received. */
  delete(handle: string): Promise<void> {
    return this.#deletes.add(handle)
  }

  /** Keeps a message that was received from others for this long, from now on. 0: gives it back at once. */
  hide(handle: string, ms: number): Promise<void> {
    return this.#changes.add({ handle, seconds: secondsOf(ms) })
  }

  /** Resolves when what was asked so far has been answered, well or not. */
  async flush(): Promise<void> {
    await Promise.all([this.#sends.flush(), this.#deletes.flush(), this.#changes.flush()])
  }

  async #sendAll(entries: readonly SendMessageBatchRequestEntry[]): Promise<readonly (EntryFailure | undefined)[]> {
    const Entries = numbered(entries)
    const { Failed } = await this.#ask((QueueUrl, options) =>
      this.#client.send(new SendMessageBatchCommand({ QueueUrl, Entries }), options),
    )
    return entryFailures(entries, Failed, (message) => new BatonError('INVALID_JOB', { message }))
  }

  async #deleteAll(handles: readonly string[]): Promise<readonly (EntryFailure | undefined)[]> {
    const Entries = numbered(handles.map((ReceiptHandle) => ({ ReceiptHandle })))
    const { Failed } = await this.#ask((QueueUrl, options) =>
      this.#client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), options),
    )
    return entryFailures(handles, Failed)
  }

  async #changeAll(
    changes: readonly { readonly handle: string; readonly seconds: number }[],
  ): Promise<readonly (EntryFailure | undefined)[]> {
    const Entries = numbered(
      changes.map(({ handle, seconds }) => ({ ReceiptHandle: handle, VisibilityTimeout: seconds })),
    )
    const { Failed } = await this.#ask((QueueUrl, options) =>
      this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }), options),
    )
    return entryFailures(changes, Failed)
  }

  async #ask<Answer>(
    call: (url: string, options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
    { withinMs, signal }: { readonly withinMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const patienceMs = this.#isSilent ? Math.min(IMPATIENT_MS, this.#timeoutMs) : this.#timeoutMs
    const to = signal === undefined ? {} : { signal }
    try {
      const url = await ask(() => this.#findUrl(patienceMs), { withinMs: patienceMs, ...to })
      const answer = await ask((options) => call(url, options), { withinMs: withinMs ?? patienceMs, ...to })
      this.#isSilent = false
      this.#hasAnswered = true
      return answer
    } catch (error) {
      if (error instanceof LateError) this.#isSilent = true
      // Made anew, it may have another one.
      if (awsCodesOf(error).some((code) => GONE.includes(code))) this.#url = undefined
      throw queueFailure(error, { option: this.#option, hasAnswered: this.#hasAnswered })
    }
  }

  /** Asked for once, by all who need it together, and again after a failure. */
  #findUrl(withinMs: number): Promise<string> {
    if (isUrl(this.name)) return Promise.resolve(this.name)
    this.#url ??= this.#askForUrl(withinMs).catch((error: unknown) => {
      this.#url = undefined
      throw error
    })
    return this.#url
  }

  async #askForUrl(withinMs: number): Promise<string> {
    const command = new GetQueueUrlCommand({ QueueName: this.name })
    const { QueueUrl } = await ask((options) => this.#client.send(command, options), { withinMs })
    if (QueueUrl === undefined) throw new Error(`no URL was given for ${this.name}`)
    return QueueUrl
  }
}

const GONE = ['QueueDoesNotExist', 'NonExistentQueue']

/** SQS counts in seconds. Never fewer than asked for. */
function secondsOf(ms: number): number {
  return Math.ceil(ms / 1_000)
}

function numbered<Entry extends object>(entries: readonly Entry[]): (Entry & { readonly Id: string })[] {
  return entries.map((entry, index) => ({ ...entry, Id: String(index) }))
}

/** @param refused what it means that SQS will never take it */
function entryFailures(
  entries: readonly unknown[],
  failed: readonly BatchResultErrorEntry[] = [],
  refused = (message: string) => new BatonError('QUEUE_UNAVAILABLE', { message }),
): readonly (EntryFailure | undefined)[] {
  const failures = new Array<EntryFailure | undefined>(entries.length).fill(undefined)
  for (const { Id, SenderFault = false, Code = '', Message = '' } of failed) {
    const message = `SQS: ${Code}: ${Message}`
    const error = SenderFault ? refused(message) : new BatonError('QUEUE_UNAVAILABLE', { message })
    failures[Number(Id)] = { isFinal: SenderFault, error }
  }
  return failures
}
