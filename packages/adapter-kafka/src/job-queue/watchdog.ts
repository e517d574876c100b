import { type IClock, systemClock } from '@baton/core/adapter'
import type { IKafkaClient, Partition } from '../client-port.ts'
import type { PartitionLog } from './partition-log.ts'

export interface WatchdogOptions {
  readonly client: Pick<IKafkaClient, 'reach' | 'committed'>
  readonly groupId: string
  /** After so long without a sign of life it looks closer. */
  readonly silentMs: number
  readonly logs: () => readonly PartitionLog[]
  /** It waits for room: nothing more is to be expected of it. */
  readonly isPaused: (log: PartitionLog) => boolean
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
  /** How far each partition had come, and when that was seen first. */
  readonly #seen = new Map<PartitionLog, { readonly next: number | undefined; readonly atMs: number }>()
  #lookedAtMs: number
  #cancel: () => void
  #isOver = false

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#lookedAtMs = this.#clock.now()
    this.#cancel = this.#watch()
  }

  /** A broker is asked anew. */
  looked(): void {
    this.#lookedAtMs = this.#clock.now()
  }

  /** It has just joined, and reads from where the group has come. */
  joined(): void {
    this.looked()
    this.#seen.clear()
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
    const { silentMs, logs, onSilent } = this.#options
    const ours = logs().filter(({ isOurs }) => isOurs)
    // One of more members than there are partitions has nothing to read.
    if (ours.length === 0) return this.joined()
    if (this.#clock.now() - this.#lookedAtMs > silentMs) return onSilent('it has not asked for anything')
    const still = ours.filter((log) => this.#isStill(log))
    if (still.length === 0) return
    const unread = await this.#unread(still)
    if (this.#isOver) return
    for (const log of still) this.#seen.delete(log)
    const names = unread.map(({ topic, partition }) => `${topic}/${partition}`)
    if (names.length > 0) onSilent(`it has not read what is in ${names.join(', ')}`)
  }

  /** Whether it has brought nothing for long. */
  #isStill(log: PartitionLog): boolean {
    const { silentMs, isPaused } = this.#options
    const atMs = this.#clock.now()
    const seen = this.#seen.get(log)
    if (seen !== undefined && seen.next === log.next && !isPaused(log)) return atMs - seen.atMs >= silentMs
    this.#seen.set(log, { next: log.next, atMs })
    return false
  }

  /** Those that have more than was received. */
  async #unread(logs: readonly PartitionLog[]): Promise<readonly Partition[]> {
    const { client, groupId } = this.#options
    const before = new Map(logs.map((log) => [log, log.next]))
    const unread: Partition[] = []
    try {
      for (const topic of new Set(logs.map(({ topic }) => topic))) {
        const [reach, committed] = await Promise.all([client.reach(topic), client.committed(groupId, topic)])
        for (const log of logs) {
          if (log.topic !== topic || log.next !== before.get(log)) continue
          const { first = 0, end = 0 } = reach?.get(log.partition) ?? {}
          const isAllRead = end <= Math.max(first, log.next ?? committed.get(log.partition) ?? 0)
          if (isAllRead || log.givenUpAt === end) continue
          log.givenUpAt = end
          unread.push(log)
        }
      }
    } catch {
      // Kafka is away: the member finds out by itself.
    }
    return unread
  }
}
