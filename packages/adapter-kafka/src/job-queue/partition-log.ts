import type { Offset, Partition, ReceivedMessage } from '../client-port.ts'

/** For so many changes of the group it is remembered what was done of a partition that others have: it may be another one by then. */
const MOST_CHANGES_AWAY = 10

/**
 * How far one partition has been worked off: what waits for a handler, what has been begun, and up to where all is done. Pure
 * bookkeeping.
 *
 *   done ── done ── done ── begun ── done ── begun ── waiting ── waiting ── (not received)
 *                          └ `position`: whoever has the partition next begins here
 *
 * Kafka keeps one number per partition. So what was begun early and takes long holds up the number, and what was done behind it is
 * delivered once more if this process dies, or if somebody else gets the partition. Not to this process: it knows.
 */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  /** Where it ended when a member was given up because nothing of that had come. If the next one gets nothing either, nothing is for us. */
  givenUpAt: number | undefined
  readonly #waiting: ReceivedMessage[] = []
  /** Begun, and put aside until later. */
  readonly #aside = new Set<number>()
  /** Received, and not done: in the order of their offsets, since they come in that order. */
  readonly #open = new Set<number>()
  /** Begun when this process last had the partition. Somebody else may have done them since. */
  readonly #before = new Set<number>()
  /** What it had received by then: all of that was done but for some, maybe without Kafka knowing. */
  #had: { readonly from: number; readonly to: number; readonly undone: Set<number> } | undefined
  #changesAway = 0
  /** Behind the last one that was received; undefined before the first. */
  #next: number | undefined
  #committed: number | undefined
  /** How far the group had come when it changed last, as this process knew it then. */
  #cameTo = 0
  /** Nothing was received since it was given to us. */
  #isFresh = true
  #isOurs = true

  constructor({ topic, partition }: Partition) {
    this.topic = topic
    this.partition = partition
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** How many are here that nobody works on: they wait for a handler, or were put aside. */
  get kept(): number {
    return this.#waiting.length + this.#aside.size
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  /** Nobody needs to remember it. */
  get isOver(): boolean {
    return !this.#isOurs && this.#before.size === 0 && this.#had === undefined
  }

  /** Where the next message is expected that has not been received; undefined where that is not known. */
  get next(): number | undefined {
    return this.#next
  }

  /** The partition was given to us; maybe it has been ours all the time. */
  gained(): void {
    this.#isOurs = true
    this.#isFresh = true
    this.#changesAway = 0
    // Not what is committed from now on: Kafka may have said before that where we begin.
    this.#cameTo = this.#committed ?? this.#cameTo
  }

  /** Others read it now, from where the group has come. What was begun goes on. */
  lost(): void {
    this.#cameTo = this.#committed ?? this.#cameTo
    const waiting = this.#waiting.splice(0).map(({ offset }) => offset)
    for (const offset of waiting) this.#open.delete(offset)
    if (this.#committed !== undefined && this.#next !== undefined) {
      const from = this.#committed
      const to = this.#next
      const isSomeDone = to - from > waiting.length + this.#open.size
      this.#had = isSomeDone ? { from, to, undone: new Set(waiting) } : undefined
    }
    for (const offset of this.#open) this.#before.add(offset)
    this.#open.clear()
    this.#aside.clear()
    this.#next = undefined
    this.#committed = undefined
    this.#isOurs = false
  }

  /** Whether it is another partition of the same name: ours would begin no earlier than where the group had come. */
  isAnother(offset: number): boolean {
    return this.#isFresh && offset < this.#cameTo
  }

  /** Whether that was received, although the group has not changed since. */
  isBack(offset: number): boolean {
    return !this.#isFresh && offset < (this.#next ?? 0)
  }

  /** After a rebalance Kafka gives again what is not committed; what is known is left out. */
  receive(messages: readonly ReceivedMessage[]): void {
    this.#isFresh = false
    for (const message of messages) {
      const { offset } = message
      if (offset < (this.#next ?? 0)) continue
      // This is where the group has come, as Kafka knows.
      this.#committed ??= offset
      this.#next = offset + 1
      // It is still worked on here. Until that is done it holds up the number, as it did before.
      const isBegun = this.#before.delete(offset)
      if (!isBegun && this.#wasDone(offset)) continue
      this.#open.add(offset)
      if (!isBegun) this.#waiting.push(message)
    }
  }

  /** By this process, when it had the partition before. */
  #wasDone(offset: number): boolean {
    const had = this.#had
    return had !== undefined && offset >= had.from && offset < had.to && !had.undone.has(offset)
  }

  /** The group has changed, and others have the partition still. */
  stillLost(): void {
    this.#changesAway += 1
    if (this.#changesAway >= MOST_CHANGES_AWAY) this.#had = undefined
  }

  /** The next one that waits, which has been begun by that. */
  take(): ReceivedMessage | undefined {
    return this.#waiting.shift()
  }

  /** It was begun, and goes on later. */
  putAside(offset: number): void {
    if (this.#open.has(offset)) this.#aside.add(offset)
  }

  /** Nothing becomes of it here, since others have the partition and get it as well. Should the partition come back with it, it is new. */
  left(offset: number): void {
    this.#had?.undone.add(offset)
    this.done(offset)
  }

  done(offset: number): void {
    this.#open.delete(offset)
    this.#aside.delete(offset)
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
