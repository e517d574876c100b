import { type IClock, systemClock } from '@baton/core/adapter'
import type { IKafkaClient, Partition } from '../client-port.ts'
import type { PartitionLog } from './partition-log.ts'

export interface WatchdogOptions {
  readonly client: Pick<IKafkaClient, 'reach' | 'committed'>
  readonly groupId: string
  /** After so long without a sign of life it looks closer. */
  readonly silentMs: number
  readonly logs: () => readonly PartitionLog[]
  /** It waits for room, and asks for less than there is. */
  readonly isPaused: () => boolean
  /** The member has fallen silent: it gets nothing although there is something, or does not even ask. */
  readonly onSilent: (why: string) => void
  readonly clock?: Pick<IClock, 'now' | 'after'>
}

/**
 * Watches a member of a group that may fall silent: clients of Kafka have been seen to hold partitions, send heartbeats, and read nothing
 * any more. Then nobody reads these partitions, and nothing says so.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #clock: Pick<IClock, 'now' | 'after'>
  #lookedAtMs: number
  #receivedAtMs: number
  #cancel: () => void
  #isOver = false

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#lookedAtMs = this.#clock.now()
    this.#receivedAtMs = this.#lookedAtMs
    this.#cancel = this.#watch()
  }

  /** A broker has answered. */
  looked(): void {
    this.#lookedAtMs = this.#clock.now()
  }

  /** Something came, or it has just joined. */
  received(): void {
    this.#receivedAtMs = this.#clock.now()
    this.#lookedAtMs = this.#receivedAtMs
  }

  end(): void {
    this.#isOver = true
    this.#cancel()
  }

  #watch(): () => void {
    return this.#clock.after(this.#options.silentMs / 2, () => {
      void this.#look().finally(() => {
        if (!this.#isOver) this.#cancel = this.#watch()
      })
    })
  }

  async #look(): Promise<void> {
    const { silentMs, logs, isPaused, onSilent } = this.#options
    const ours = logs().filter(({ isOurs }) => isOurs)
    // One of more members than there are partitions has nothing to read.
    if (ours.length === 0) return this.received()
    const nowMs = this.#clock.now()
    if (nowMs - this.#lookedAtMs > silentMs) return onSilent('it has not asked for anything')
    if (isPaused()) return this.received()
    if (nowMs - this.#receivedAtMs <= silentMs) return
    const receivedAtMs = this.#receivedAtMs
    const unread = await this.#unread(ours)
    if (this.#isOver || this.#receivedAtMs !== receivedAtMs) return
    if (unread !== undefined) onSilent(`it has not read what is in ${unread.topic}/${unread.partition}`)
    else this.received()
  }

  /** A partition that has more than was received. */
  async #unread(logs: readonly PartitionLog[]): Promise<Partition | undefined> {
    const { client, groupId } = this.#options
    try {
      for (const topic of new Set(logs.map(({ topic }) => topic))) {
        const [reach, committed] = await Promise.all([client.reach(topic), client.committed(groupId, topic)])
        const found = logs.find((log) => {
          const { first = 0, end = 0 } = reach?.get(log.partition) ?? {}
          return log.topic === topic && end > Math.max(first, log.next ?? committed.get(log.partition) ?? 0)
        })
        if (found !== undefined) return found
      }
    } catch {
      // Kafka is away: the member finds out by itself.
    }
    return undefined
  }
}
