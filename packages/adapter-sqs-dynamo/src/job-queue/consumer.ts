import type { Message } from '@aws-sdk/client-sqs'
import { type Delivery, jobOfText, messageOf, onAbort, settledWithin, systemClock } from '@baton/core/adapter'
import { MOST_ENTRIES } from './batcher.ts'
import { LOOK_MS, reasonOf } from './dead-letters.ts'
import { type DeliveryTools, receivedBefore, SqsDelivery } from './delivery.ts'
import { Keeper } from './keeper.ts'
import { LevelPolling } from './level-polling.ts'
import { Patience } from './patience.ts'
import { type Asking, OneQueuePolling, type Polling } from './polling.ts'
import { Slots } from './slots.ts'
import type { SqsQueue } from './sqs-queue.ts'

/** How long a request beside the one that waits may wait: the other one is there for when nothing comes. */
const BRIEFLY_MS = 1_000
const GATHER_MS = 5
/** A request that is under way at the stop may bring messages in this moment, which would stay hidden if it were broken off. */
const LAST_ANSWER_MS = 100
const LAST_FLUSH_MS = 1_000
/** Dead letters looked through in one go. */
const MOST_LOOKED_AT = 100
/** What came too many goes back: at once, and from the second time on after this, doubled each time up to the most. */
const TOO_MANY_MS = 1_000
const TOO_MANY_MOST_MS = 16_000

export interface ConsumerOptions extends Omit<DeliveryTools, 'keeper' | 'queue'> {
  /** The most urgent first. */
  readonly queues: readonly SqsQueue[]
  readonly concurrency: number
  readonly waitMs: number
  readonly stop: AbortSignal
  /** Where SQS puts what it has given out too often; looked at every `lostHintsMs`. */
  readonly lostHints: SqsQueue | undefined
  readonly lostHintsMs: number
}

/** A queue, and how it has been of late. */
interface Level {
  readonly tools: DeliveryTools
  readonly patience: Patience
  /** Ends the pause in which it is left alone. */
  pause: (() => void) | undefined
}

/** One call of `consume`: asks for messages while there are handlers free, and gives them to the handler. */
export class Consumer {
  readonly #handler: (delivery: Delivery) => Promise<void>
  readonly #options: ConsumerOptions
  readonly #slots: Slots
  readonly #polling: Polling
  readonly #levels: readonly Level[]
  readonly #calledOff = new AbortController()
  /** Requests for messages, until what they brought is taken. */
  #requests = 0
  #gather: (() => void) | undefined
  #nextLook: (() => void) | undefined
  #hasGathered = false
  #end = () => {}

  constructor(handler: (delivery: Delivery) => Promise<void>, options: ConsumerOptions) {
    const { queues, logger, concurrency } = options
    this.#handler = handler
    this.#options = options
    this.#slots = new Slots(concurrency)
    this.#polling =
      queues.length === 1 ? new OneQueuePolling(this.#slots) : new LevelPolling(this.#slots, queues.length)
    this.#levels = queues.map((queue) => {
      return { tools: this.#toolsFor(queue), patience: new Patience(logger, queue.name), pause: undefined }
    })
  }

  /** Until the stop. Resolves when no handler runs any more, and what they answered has gone out. */
  async run(): Promise<void> {
    const { stop, queues } = this.#options
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve
    })
    const stopListening = onAbort(stop, () => this.#stop())
    this.#lookLater()
    this.#pump()
    if (stop.aborted) this.#stop()
    await ended
    stopListening()
    await settledWithin(LAST_FLUSH_MS, Promise.all(queues.map((queue) => queue.flush())))
  }

  #stop(): void {
    for (const cancel of [...this.#levels.map(({ pause }) => pause), this.#gather, this.#nextLook]) cancel?.()
    const cancel = systemClock.after(LAST_ANSWER_MS, () => this.#calledOff.abort())
    const end = this.#end
    this.#end = () => {
      cancel()
      end()
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#options.stop.aborted) {
      if (this.#slots.isQuiet && this.#requests === 0) this.#end()
      return
    }
    while (true) {
      const next = this.#polling.next(this.#hasGathered, (level) => this.#levels[level]?.pause !== undefined)
      if (next === undefined) return
      if (next === 'gather') {
        this.#gather ??= systemClock.after(GATHER_MS, () => this.#gathered())
        return
      }
      this.#hasGathered = false
      const level = this.#levels[next.level]
      if (level !== undefined) void this.#poll(next, level)
    }
  }

  #gathered(): void {
    this.#gather = undefined
    this.#hasGathered = true
    this.#pump()
  }

  async #poll(asking: Asking, level: Level): Promise<void> {
    const { stop } = this.#options
    const { tools, patience } = level
    this.#requests += 1
    this.#polling.asks(asking)
    const askedAtMs = performance.now()
    let messages: readonly Message[] | undefined
    try {
      messages = await this.#receive(tools, asking.most, this.#waitMs(asking))
      const tookMs = asking.waits === 'not' ? Number.POSITIVE_INFINITY : performance.now() - askedAtMs
      this.#rest(level, patience.answered(messages.length, tookMs))
    } catch (error) {
      if (!stop.aborted) this.#rest(level, patience.failed(error))
    }
    this.#polling.answered(asking, messages?.length)
    this.#take(messages ?? [], tools)
    this.#requests -= 1
    this.#pump()
  }

  #waitMs({ waits }: Asking): number {
    const { waitMs } = this.#options
    if (waits === 'long') return waitMs
    return waits === 'briefly' ? Math.min(waitMs, BRIEFLY_MS) : 0
  }

  #receive({ queue, keeper }: DeliveryTools, most: number, waitMs: number): Promise<readonly Message[]> {
    return queue.receive({ most, waitMs, visibilityMs: keeper.firstMs, signal: this.#calledOff.signal })
  }

  #rest(level: Level, pauseMs: number): void {
    if (pauseMs === 0 || level.pause !== undefined || this.#options.stop.aborted) return
    level.pause = systemClock.after(pauseMs, () => {
      level.pause = undefined
      this.#pump()
    })
  }

  /** Serves as many as there is room for. */
  #take(messages: readonly Message[], tools: DeliveryTools): void {
    const taken = this.#slots.take(messages.length)
    for (const message of messages.slice(0, taken)) void this.#serve(message, tools)
    for (const message of messages.slice(taken)) this.#giveBack(message, tools)
  }

  /** To somebody who has room. Later each time, or it would go round among those who have none, and end as a dead letter. */
  #giveBack(message: Message, { queue }: DeliveryTools): void {
    const before = receivedBefore(message)
    const isForNow = before === 0 || this.#options.stop.aborted
    const delayMs = isForNow ? 0 : Math.min(TOO_MANY_MOST_MS, TOO_MANY_MS * 2 ** Math.min(before - 1, 10))
    // Where it cannot be, it comes back by itself when its visibility is over.
    queue.hide(message.ReceiptHandle ?? '', delayMs).catch(() => {})
  }

  /** Counts as running since its message came. */
  async #serve(message: Message, tools: DeliveryTools): Promise<void> {
    try {
      if (this.#options.stop.aborted) await tools.queue.hide(message.ReceiptHandle ?? '', 0)
      else await this.#deliver(message, tools)
    } catch (error) {
      this.#options.logger.log('debug', 'a message could not be answered for; it comes again', {
        error: messageOf(error),
      })
    }
    this.#slots.ended()
    this.#pump()
  }

  async #deliver(message: Message, tools: DeliveryTools): Promise<void> {
    let delivery: SqsDelivery
    try {
      delivery = new SqsDelivery(jobOfText(message.Body ?? ''), message, tools)
    } catch (error) {
      await tools.deadLetters.put(message.Body ?? '', messageOf(error))
      await tools.queue.delete(message.ReceiptHandle ?? '')
      return
    }
    try {
      await this.#handler(delivery)
    } catch (error) {
      const { runId } = delivery.job
      this.#options.logger.log('warn', 'a handler failed, its job comes again', { runId, error: messageOf(error) })
    }
    await delivery.end()
  }

  #lookLater(): void {
    const { lostHints, lostHintsMs, stop } = this.#options
    if (lostHints === undefined || lostHintsMs === Number.POSITIVE_INFINITY || stop.aborted) return
    const afterMs = lostHintsMs * (0.75 + Math.random() / 2)
    this.#nextLook = systemClock.after(
      afterMs,
      () => void this.#lookForLostHints(lostHints).then(() => this.#lookLater()),
    )
  }

  /**
   * What SQS has put among the dead letters was received too often, and that is all there is to know: whether there is
   * still something to do is for the handler to find out. What was put there for a reason stays.
   */
  async #lookForLostHints(queue: SqsQueue): Promise<void> {
    const { logger, stop } = this.#options
    const tools = this.#toolsFor(queue)
    const others: Message[] = []
    try {
      for (let looked = 0; looked < MOST_LOOKED_AT && !stop.aborted; ) {
        const messages = await this.#takeLostHints(tools)
        others.push(...messages.filter((message) => !isHint(message)))
        if (messages.length === 0) break
        looked += messages.length
      }
    } catch (error) {
      logger.log('debug', 'the dead letters could not be looked through', { error: messageOf(error) })
    }
    // A request that the stop has called off may go on to wait over there, and would take at once what is given back.
    const afterMs = stop.aborted ? BRIEFLY_MS : 0
    await Promise.allSettled(others.map(({ ReceiptHandle = '' }) => queue.hide(ReceiptHandle, afterMs)))
  }

  /** As many as there is room for, although a request waits that may fill it: that seldom does, and what is too many goes back. */
  async #takeLostHints(tools: DeliveryTools): Promise<readonly Message[]> {
    const most = Math.min(MOST_ENTRIES, this.#slots.spare)
    if (most < 1) return []
    this.#requests += 1
    let messages: readonly Message[] = []
    try {
      // Not for as long as a job is kept: what was looked at would come back within the same look, again and again.
      const signal = this.#calledOff.signal
      messages = await tools.queue.receive({ most, waitMs: BRIEFLY_MS, visibilityMs: LOOK_MS, signal })
      return messages
    } finally {
      const hints = messages.filter(isHint)
      if (hints.length > 0) {
        this.#options.logger.log('warn', 'jobs were found among the dead letters', { jobs: hints.length })
      }
      this.#take(hints, tools)
      this.#requests -= 1
      this.#pump()
    }
  }

  #toolsFor(queue: SqsQueue): DeliveryTools {
    const { deadLetters, visibilityMs, logger } = this.#options
    return { queue, keeper: new Keeper(queue, visibilityMs, logger), deadLetters, visibilityMs, logger }
  }
}

function isHint(message: Message): boolean {
  if (reasonOf(message) !== undefined) return false
  try {
    jobOfText(message.Body ?? '')
    return true
  } catch {
    return false
  }
}
