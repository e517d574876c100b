/**
 * Wakes those who wait for news of a run: one connection per store, however many they are. A message is a hint and says
 * nothing; whoever is woken reads. What is lost with a connection is made good when it is back, and by a slow poll.
 */
import type { Cluster, Redis } from 'ioredis'

/** Told what the message says: of a run, how many lines its log has. Nothing where there was no message. */
type Wake = (said?: number) => void

/** A connection that is only listened on. */
type Subscriber = Redis | Cluster

export interface NewsOptions {
  readonly connect: () => Subscriber
  /** Channels live where their run does. */
  readonly sharded: boolean
  readonly pollMs: number
  readonly onFailure: (error: unknown) => void
}

export class News {
  readonly #options: NewsOptions
  readonly #wakers = new Map<string, Set<Wake>>()
  #subscriber: Subscriber | undefined
  #joining = new Set<string>()
  #leaving = new Set<string>()
  #isPlanned = false
  #isClosed = false
  #changing: Promise<void> = Promise.resolve()
  #poll: NodeJS.Timeout | undefined

  constructor(options: NewsOptions) {
    this.#options = options
  }

  /** Calls back after each message on the channel, and now and then without one. @returns how to end it */
  watch(channel: string, wake: Wake): () => void {
    const wakers = this.#wakers.get(channel)
    if (wakers === undefined) {
      this.#wakers.set(channel, new Set([wake]))
      this.#leaving.delete(channel)
      this.#joining.add(channel)
      this.#plan()
    } else wakers.add(wake)
    this.#poll ??= setInterval(() => this.#wakeAll(), this.#options.pollMs).unref()
    return () => this.#unwatch(channel, wake)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#poll)
    this.#wakers.clear()
    this.#subscriber?.disconnect()
  }

  #unwatch(channel: string, wake: Wake): void {
    const wakers = this.#wakers.get(channel)
    if (wakers?.delete(wake) !== true || wakers.size > 0) return
    this.#wakers.delete(channel)
    if (!this.#joining.delete(channel)) this.#leaving.add(channel)
    this.#plan()
    if (this.#wakers.size > 0) return
    clearInterval(this.#poll)
    this.#poll = undefined
  }

  /** Many come and go in one turn of the loop: one command for all of them. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      // One after the other: a channel that is left and joined again must not be left last.
      this.#changing = this.#changing.then(() => this.#change()).catch((error: unknown) => this.#fail(error))
    })
  }

  #fail(error: unknown): void {
    if (!this.#isClosed) this.#options.onFailure(error)
  }

  async #change(): Promise<void> {
    if (this.#isClosed) return
    const joining = [...this.#joining].filter((channel) => this.#wakers.has(channel))
    const leaving = [...this.#leaving].filter((channel) => !this.#wakers.has(channel))
    this.#joining.clear()
    this.#leaving.clear()
    if (joining.length === 0 && this.#subscriber === undefined) return
    this.#subscriber ??= this.#open()
    const subscriber = this.#subscriber
    const { sharded } = this.#options
    for (const channels of sharded ? bySlot(leaving) : [leaving]) {
      if (channels.length === 0) continue
      await (sharded ? subscriber.sunsubscribe(...channels) : subscriber.unsubscribe(...channels))
    }
    for (const channels of sharded ? bySlot(joining) : [joining]) {
      if (channels.length === 0) continue
      await (sharded ? subscriber.ssubscribe(...channels) : subscriber.subscribe(...channels))
    }
    // What was said before we listened.
    for (const channel of joining) this.#wake(channel)
  }

  #open(): Subscriber {
    const subscriber = this.#options.connect()
    subscriber.on(this.#options.sharded ? 'smessage' : 'message', (channel: string, said: string) =>
      this.#wake(channel, Number(said)),
    )
    // The first time there is nobody yet; later, what was said meanwhile is lost.
    subscriber.on('ready', () => this.#wakeAll())
    return subscriber
  }

  #wake(channel: string, said?: number): void {
    for (const wake of [...(this.#wakers.get(channel) ?? [])]) wake(said)
  }

  #wakeAll(): void {
    for (const channel of [...this.#wakers.keys()]) this.#wake(channel)
  }
}

/** Channels of one command have to live together. */
function bySlot(channels: readonly string[]): readonly (readonly string[])[] {
  const slots = new Map<string, string[]>()
  for (const channel of channels) {
    const tag = /\{(.+?)\}/.exec(channel)?.[1] ?? channel
    const slot = slots.get(tag)
    if (slot === undefined) slots.set(tag, [channel])
    else slot.push(channel)
  }
  return [...slots.values()]
}
