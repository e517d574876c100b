import type { Offset, Partition, ReceivedMessage } from '../client-port.ts'

/**
 * How far one partition has been worked off: what waits for a handler, what has been begun, and up to where all is done. Pure
 * bookkeeping.
 *
 *   done ── done ── done ── begun ── done ── begun ── waiting ── waiting ── (not received)
 *                          └ `position`: whoever has the partition next begins here
 *
 * Kafka keeps one number per partition. So what was begun early and takes long holds up the number, and what was done behind it is
 * delivered once more if this process dies. Not to this process: it knows.
 */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly #waiting: ReceivedMessage[] = []
  /** Received, and not done: in the order of their offsets, since they come in that order. */
  readonly #open = new Set<number>()
  /** Begun when this process last had the partition. Somebody else may have done them since. */
  readonly #before = new Set<number>()
  /** Behind the last one that was received; undefined before the first. */
  #next: number | undefined
  #committed: number | undefined
  #isOurs = true

  constructor({ topic, partition }: Partition) {
    this.topic = topic
    this.partition = partition
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  /** Nobody needs to remember it. */
  get isOver(): boolean {
    return !this.#isOurs && this.#before.size === 0
  }

  /** Where the next message is expected that has not been received; undefined where that is not known. */
  get next(): number | undefined {
    return this.#next
  }

  /** The partition was given to us; maybe it has been ours all the time. */
  gained(): void {
    this.#isOurs = true
  }

  /** Others read it now, from where the group has come. What was begun goes on. */
  lost(): void {
    for (const { offset } of this.#waiting.splice(0)) this.#open.delete(offset)
    for (const offset of this.#open) this.#before.add(offset)
    this.#open.clear()
    this.#next = undefined
    this.#committed = undefined
    this.#isOurs = false
  }

  /** After a rebalance Kafka gives again what is not committed; what is known is left out. */
  receive(messages: readonly ReceivedMessage[]): void {
    for (const message of messages) {
      const { offset } = message
      if (offset < (this.#next ?? 0)) continue
      // This is where the group has come, as Kafka knows.
      this.#committed ??= offset
      this.#next = offset + 1
      this.#open.add(offset)
      // It is still worked on here. Until that is done it holds up the number, as it did before.
      if (!this.#before.delete(offset)) this.#waiting.push(message)
    }
  }

  /** The next one that waits, which has been begun by that. */
  take(): ReceivedMessage | undefined {
    return this.#waiting.shift()
  }

  done(offset: number): void {
    this.#open.delete(offset)
    this.#before.delete(offset)
  }

  /** What to commit; undefined where Kafka knows it. */
  uncommitted(): Offset | undefined {
    const [first] = this.#open
    const position = first ?? this.#next
    if (!this.#isOurs || position === undefined || position === this.#committed) return undefined
    const { topic, partition } = this
    return { topic, partition, offset: position }
  }

  committed({ offset }: Offset): void {
    this.#committed = offset
  }
}
