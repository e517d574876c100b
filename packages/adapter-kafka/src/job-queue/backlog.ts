/**
 * What waits for a handler, by level: the most urgent level first, and the partitions of a level in turn, so that none waits for the
 * end of another. A level of which too much is here that nobody works on is told to pause, partition by partition, and goes on at half
 * of that.
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
  /** How many messages of a level may be kept before it is paused: they wait for a handler, or were put aside. */
  readonly most: number
  pause(partitions: readonly Partition[]): void
  resume(partitions: readonly Partition[]): void
  /** A partition was read from further back than it had been, and nothing of that was taken. */
  onBack(partition: Partition): void
}

interface Level {
  readonly logs: Map<number, PartitionLog>
  /** Those with something that waits, whose turn it is coming first. */
  turns: PartitionLog[]
  readonly paused: Set<PartitionLog>
}

export class Backlog {
  readonly #options: BacklogOptions
  readonly #levels: ReadonlyMap<string, Level>

  constructor(options: BacklogOptions) {
    this.#options = options
    const levels = options.topics.map((topic): [string, Level] => {
      return [topic, { logs: new Map(), turns: [], paused: new Set() }]
    })
    this.#levels = new Map(levels)
  }

  /** These are ours from now on, and no others. */
  assign(partitions: readonly Partition[]): void {
    for (const [topic, level] of this.#levels) {
      const numbers = new Set(partitions.filter((each) => each.topic === topic).map(({ partition }) => partition))
      for (const [number, log] of level.logs) {
        if (numbers.has(number)) continue
        if (log.isOurs) this.#lose(level, log)
        else log.stillLost()
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
    const known = level?.logs.get(partition)
    // What was on its way when the partition went to somebody else, who gets it as well.
    if (level === undefined || known === undefined || !known.isOurs) return
    const from = messages[0]?.offset ?? Number.POSITIVE_INFINITY
    // What was asked for long ago, or another partition of the same name: as a new member we hear which.
    if (known.isBack(from)) return this.#options.onBack(known)
    const log = known.isAnother(from) ? this.#beginAnew(level, known) : known
    const before = log.waiting
    log.receive(messages)
    if (before === 0 && log.waiting > 0) level.turns.push(log)
    if (keptOf(level) < this.#options.most || level.paused.has(log)) return
    level.paused.add(log)
    this.#options.pause([log])
  }

  next(): Waiting | undefined {
    for (const level of this.#levels.values()) {
      const log = level.turns.shift()
      const message = log?.take()
      if (log === undefined || message === undefined) continue
      if (log.waiting > 0) level.turns.push(log)
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

  /** Whether it waits for room: nothing more is to be expected of it. */
  isPaused(log: PartitionLog): boolean {
    return this.#levels.get(log.topic)?.paused.has(log) === true
  }

  /** Something that was put aside is done. */
  relieved(): void {
    for (const level of this.#levels.values()) this.#resumeIfLow(level)
  }

  #lose(level: Level, log: PartitionLog): void {
    log.lost()
    level.turns = level.turns.filter((each) => each !== log)
    // The client would keep the pause for when the partition comes back.
    if (level.paused.delete(log)) this.#options.resume([log])
    this.#resumeIfLow(level)
  }

  /** The topic was deleted and made again. What is still done of the old one is done for nobody. */
  #beginAnew(level: Level, old: PartitionLog): PartitionLog {
    this.#lose(level, old)
    const log = new PartitionLog(old)
    level.logs.set(log.partition, log)
    return log
  }

  #forget({ logs }: Level): void {
    for (const [number, log] of logs) if (log.isOver) logs.delete(number)
  }

  #resumeIfLow(level: Level): void {
    if (level.paused.size === 0 || keptOf(level) > this.#options.most / 2) return
    const partitions = [...level.paused]
    level.paused.clear()
    this.#options.resume(partitions)
  }
}

function keptOf({ logs }: Level): number {
  let kept = 0
  for (const log of logs.values()) kept += log.kept
  return kept
}
