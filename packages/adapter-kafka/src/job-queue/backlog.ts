/**
 * What waits for a handler, by level: the most urgent level first, and the partitions of a level in turn, so that none waits for the
 * end of another. A level that has too much waiting is told to pause, partition by partition, and goes on at half of that.
 */
import type { Partition, ReceivedMessage } from '../client-port.ts'
import { PartitionLog } from './partition-log.ts'

export interface Waiting {
  readonly log: PartitionLog
  readonly message: ReceivedMessage
}

export interface BacklogOptions {
  /** Topics, the most urgent first. */
  readonly topics: readonly string[]
  /** How many messages of a level may wait before it is paused. */
  readonly most: number
  pause(partitions: readonly Partition[]): void
  resume(partitions: readonly Partition[]): void
}

interface Level {
  readonly logs: Map<number, PartitionLog>
  /** Those with something that waits, whose turn it is coming first. */
  turns: PartitionLog[]
  waiting: number
  readonly paused: Set<PartitionLog>
}

export class Backlog {
  readonly #options: BacklogOptions
  readonly #levels: ReadonlyMap<string, Level>

  constructor(options: BacklogOptions) {
    this.#options = options
    const levels = options.topics.map((topic): [string, Level] => {
      return [topic, { logs: new Map(), turns: [], waiting: 0, paused: new Set() }]
    })
    this.#levels = new Map(levels)
  }

  /** These are ours from now on, and no others. */
  assign(partitions: readonly Partition[]): void {
    for (const [topic, level] of this.#levels) {
      const numbers = new Set(partitions.filter((each) => each.topic === topic).map(({ partition }) => partition))
      for (const [number, log] of level.logs) {
        if (!numbers.has(number) && log.isOurs) this.#lose(level, log)
      }
      for (const partition of numbers) {
        const log = level.logs.get(partition) ?? new PartitionLog({ topic, partition })
        level.logs.set(partition, log)
        log.gained()
      }
      this.#forget(level)
      // A new member of the group has paused nothing.
      if (level.paused.size > 0) this.#options.pause([...level.paused])
    }
  }

  receive({ topic, partition }: Partition, messages: readonly ReceivedMessage[]): void {
    const level = this.#levels.get(topic)
    const log = level?.logs.get(partition)
    // What was on its way when the partition went to somebody else, who gets it as well.
    if (level === undefined || log === undefined || !log.isOurs) return
    const before = log.waiting
    log.receive(messages)
    level.waiting += log.waiting - before
    if (before === 0 && log.waiting > 0) level.turns.push(log)
    if (level.waiting < this.#options.most || level.paused.has(log)) return
    level.paused.add(log)
    this.#options.pause([log])
  }

  next(): Waiting | undefined {
    for (const level of this.#levels.values()) {
      const log = level.turns.shift()
      const message = log?.take()
      if (log === undefined || message === undefined) continue
      if (log.waiting > 0) level.turns.push(log)
      level.waiting -= 1
      this.#resumeIfLow(level)
      return { log, message }
    }
    return undefined
  }

  /** Logs that have something to commit, or are read at the moment. */
  logs(): readonly PartitionLog[] {
    for (const level of this.#levels.values()) this.#forget(level)
    return [...this.#levels.values()].flatMap(({ logs }) => [...logs.values()])
  }

  /** Some of what is read waits for room: nothing more is to be expected of it. */
  get isPaused(): boolean {
    return [...this.#levels.values()].some(({ paused }) => paused.size > 0)
  }

  #lose(level: Level, log: PartitionLog): void {
    level.waiting -= log.waiting
    log.lost()
    level.turns = level.turns.filter((each) => each !== log)
    // The client would keep the pause for when the partition comes back.
    if (level.paused.delete(log)) this.#options.resume([log])
    this.#resumeIfLow(level)
  }

  #forget({ logs }: Level): void {
    for (const [number, log] of logs) if (log.isOver) logs.delete(number)
  }

  #resumeIfLow(level: Level): void {
    if (level.paused.size === 0 || level.waiting > this.#options.most / 2) return
    const partitions = [...level.paused]
    level.paused.clear()
    this.#options.resume(partitions)
  }
}
