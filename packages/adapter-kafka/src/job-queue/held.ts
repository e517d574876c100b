import { systemClock } from '@baton/core/adapter'
import type { ReceivedMessage } from '../client-port.ts'
import { messageAgain } from './message-form.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Sender } from './sender.ts'

/** So long a message is kept here, and holds up the number of its partition. Then it goes to the end of its topic. */
const MOST_HELD_MS = 10_000
/** What could not be sent again is tried again after this. */
const RETRY_MS = 1_000

interface Held {
  readonly log: PartitionLog
  readonly message: ReceivedMessage
  readonly redelivered: number
  readonly untilMs: number
  cancel: () => void
}

/**
 * Messages that are to come again, but not yet. Kafka delivers at once or not at all, so they are kept here until they are due, and then
 * sent again, to anyone. A delay that is longer than they are kept goes round: the message says when it is due, and is kept by whoever
 * gets it next. If this process dies, they come at once, since they are not done; that is early, and no harm.
 */
export class HeldMessages {
  readonly #sender: Sender
  readonly #onDone: () => void
  readonly #held = new Set<Held>()
  #isOver = false

  /** @param onDone called when one of them has been sent on, and is done here */
  constructor(sender: Sender, onDone: () => void) {
    this.#sender = sender
    this.#onDone = onDone
  }

  /** @param untilMs when it is to be delivered, by this process's clock */
  hold(log: PartitionLog, message: ReceivedMessage, redelivered: number, untilMs: number): void {
    if (this.#isOver) return
    const held: Held = { log, message, redelivered, untilMs, cancel: () => {} }
    this.#held.add(held)
    log.putAside(message.offset)
    this.#wait(held, Math.min(MOST_HELD_MS, untilMs - systemClock.now()))
  }

  /** Sends all of them on: whoever gets them next keeps them until they are due. Resolves when all were tried. */
  async letGo(): Promise<void> {
    const all = [...this.#held]
    for (const held of all) held.cancel()
    await Promise.all(all.map((held) => this.#sendOn(held)))
  }

  /** Waits for nothing any more, and keeps nothing. What is not done comes again to others. */
  drop(): void {
    this.#isOver = true
    for (const { cancel } of this.#held) cancel()
    this.#held.clear()
  }

  #wait(held: Held, ms: number): void {
    held.cancel = systemClock.after(Math.max(0, ms), () => {
      void this.#sendOn(held).then((isSent) => {
        if (!isSent && this.#held.has(held)) this.#wait(held, RETRY_MS)
      })
    })
  }

  /** @returns whether it is done here */
  async #sendOn(held: Held): Promise<boolean> {
    const { log, message, redelivered, untilMs } = held
    if (!log.isOurs) {
      if (this.#held.delete(held)) log.left(message.offset)
      return true
    }
    const notBeforeMs = untilMs > systemClock.now() ? untilMs : 0
    try {
      await this.#sender.send(log.topic, messageAgain(message, redelivered, notBeforeMs))
    } catch {
      return false
    }
    this.#end(held)
    return true
  }

  #end(held: Held): void {
    if (!this.#held.delete(held)) return
    held.log.done(held.message.offset)
    this.#onDone()
  }
}
