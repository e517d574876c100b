import type { Message } from '@aws-sdk/client-sqs'
import { type Delivery, onAbort, systemClock } from '@baton/core/adapter'
import { settledWithin } from '../asking.ts'
import { messageOf } from '../aws-errors.ts'
import { reasonOf } from './dead-letters.ts'
import { type DeliveryTools, SqsDelivery } from './delivery.ts'
import { Keeper } from './keeper.ts'
import { jobOf } from './message-form.ts'
import { Patience } from './patience.ts'
import { Polling } from './polling.ts'
import type { SqsQueue } from './sqs-queue.ts'

/** How long a request beside the one that waits may wait: the other one is there for when nothing comes. */
const BESIDE_MS = 1_000
const GATHER_MS = 5
/** A request that is under way at the stop may bring messages in this moment, which would stay hidden if it were broken off. */
const LAST_ANSWER_MS = 100
const LAST_FLUSH_MS = 1_000
/** Dead letters looked through in one go. */
const MOST_LOOKED_AT = 100

export interface ConsumerOptions extends Omit<DeliveryTools, 'keeper'> {
  readonly name: string
  readonly concurrency: number
  readonly waitMs: number
  readonly stop: AbortSignal
  /** Where SQS puts what it has given out too often; looked at every `lostHintsMs`. */
  readonly lostHints: SqsQueue | undefined
  readonly lostHintsMs: number
}

/** One call of `consume`: asks for messages while there are handlers free, and gives them to the handler. */
export class Consumer {
  readonly #handler: (delivery: Delivery) => Promise<void>
  readonly #options: ConsumerOptions
  readonly #polling: Polling
  readonly #patience: Patience
  readonly #tools: DeliveryTools
  readonly #calledOff = new AbortController()
  #pause: (() => void) | undefined
  #gather: (() => void) | undefined
  #nextLook: (() => void) | undefined
  #hasGathered = false
  #end = () => {}

  constructor(handler: (delivery: Delivery) => Promise<void>, options: ConsumerOptions) {
    const { queue, visibilityMs, logger, name, concurrency } = options
    this.#handler = handler
    this.#options = options
    this.#polling = new Polling(concurrency)
    this.#patience = new Patience(logger, name)
    this.#tools = { ...options, keeper: new Keeper(queue, visibilityMs, logger) }
  }

  /** Until the stop. Resolves when no handler runs any more, and what they answered has gone out. */
  async run(): Promise<void> {
    const { stop, queue } = this.#options
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve
    })
    const stopListening = onAbort(stop, () => this.#stop())
    this.#lookLater()
    this.#pump()
    if (stop.aborted) this.#stop()
    await ended
    stopListening()
    await settledWithin(LAST_FLUSH_MS, queue.flush())
  }

  #stop(): void {
    for (const cancel of [this.#pause, this.#gather, this.#nextLook]) cancel?.()
    const cancel = systemClock.after(LAST_ANSWER_MS, () => this.#calledOff.abort())
    const end = this.#end
    this.#end = () => {
      cancel()
      end()
    }
    this.#pump()
  }

  #pump(): void {
    const { stop, waitMs } = this.#options
    if (stop.aborted) {
      if (this.#polling.isQuiet) this.#end()
      return
    }
    while (this.#pause === undefined) {
      const next = this.#polling.next(this.#hasGathered)
      if (next === undefined) return
      if (next === 'gather') {
        this.#gather ??= systemClock.after(GATHER_MS, () => this.#gathered())
        return
      }
      this.#hasGathered = false
      void this.#poll(next.most, next.isFirst ? waitMs : Math.min(waitMs, BESIDE_MS))
    }
  }

  #gathered(): void {
    this.#gather = undefined
    this.#hasGathered = true
    this.#pump()
  }

  async #poll(most: number, waitMs: number): Promise<void> {
    const { stop, queue } = this.#options
    const { firstMs: visibilityMs } = this.#tools.keeper
    this.#polling.asks(most)
    const askedAtMs = performance.now()
    let messages: readonly Message[] | undefined
    try {
      messages = await queue.receive({ most, waitMs, visibilityMs, signal: this.#calledOff.signal })
      this.#rest(this.#patience.answered(messages.length, performance.now() - askedAtMs))
    } catch (error) {
      if (!stop.aborted) this.#rest(this.#patience.failed(error))
    }
    this.#polling.answered(most, messages?.length)
    for (const message of messages ?? []) void this.#serve(message, this.#tools)
    this.#pump()
  }

  #rest(pauseMs: number): void {
    if (pauseMs === 0 || this.#pause !== undefined || this.#options.stop.aborted) return
    this.#pause = systemClock.after(pauseMs, () => {
      this.#pause = undefined
      this.#pump()
    })
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
    this.#polling.ended()
    this.#pump()
  }

  async #deliver(message: Message, tools: DeliveryTools): Promise<void> {
    let delivery: SqsDelivery
    try {
      delivery = new SqsDelivery(jobOf(message.Body ?? ''), message, tools)
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
    const { visibilityMs, logger, stop } = this.#options
    const tools = { ...this.#tools, queue, keeper: new Keeper(queue, visibilityMs, logger) }
    const others: Message[] = []
    try {
      for (let looked = 0; looked < MOST_LOOKED_AT && !stop.aborted; ) {
        const most = Math.min(10, this.#polling.free)
        if (most < 1) break
        const messages = await this.#receiveFrom(queue, most)
        const hints = messages.filter((message) => isHint(message))
        this.#polling.answered(most, hints.length)
        if (hints.length > 0) logger.log('warn', 'jobs were found among the dead letters', { jobs: hints.length })
        for (const hint of hints) void this.#serve(hint, tools)
        this.#pump()
        others.push(...messages.filter((message) => !hints.includes(message)))
        if (messages.length === 0) break
        looked += messages.length
      }
    } catch (error) {
      logger.log('debug', 'the dead letters could not be looked through', { error: messageOf(error) })
    }
    await Promise.allSettled(others.map(({ ReceiptHandle = '' }) => queue.hide(ReceiptHandle, 0)))
  }

  async #receiveFrom(queue: SqsQueue, most: number): Promise<readonly Message[]> {
    const { firstMs: visibilityMs } = this.#tools.keeper
    this.#polling.asks(most)
    try {
      return await queue.receive({ most, waitMs: BESIDE_MS, visibilityMs, signal: this.#calledOff.signal })
    } catch (error) {
      this.#polling.answered(most, undefined)
      this.#pump()
      throw error
    }
  }
}

function isHint(message: Message): boolean {
  if (reasonOf(message) !== undefined) return false
  try {
    jobOf(message.Body ?? '')
    return true
  } catch {
    return false
  }
}
