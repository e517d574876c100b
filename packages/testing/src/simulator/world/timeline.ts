/**
 * What may happen, in the order of its time. Among all that may happen now, somebody else says what does: that choice is
 * what a seed, or an enumeration of all orders, decides.
 */
import type { Actor } from './actor.ts'

/** One thing that may happen: a call takes effect, an answer arrives, a timer fires, a job is delivered. */
export interface Happening {
  readonly atMs: number
  /** Whose code runs by it; undefined for what happens in the store, the queue or on the way. */
  readonly actor: Actor | undefined
  readonly what: string
  /** For the trace, made only when somebody reads it. */
  readonly detail: (() => string) | undefined
  /** Whose port call, or delivery, this is: what comes before what among these is of interest, of the rest it is not. */
  readonly caller: Actor | undefined
  isCancelled: boolean
  run(): void
}

/** Says which of these happens next, by its index. */
export type Pick = (ready: readonly Happening[]) => number

export class Timeline {
  nowMs: number
  readonly #ready: Happening[] = []
  /** A heap by time, and by order of arrival where times are equal. */
  readonly #later: { readonly happening: Happening; readonly order: number }[] = []
  #order = 0

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  add(happening: Happening): void {
    if (happening.atMs <= this.nowMs) this.#ready.push(happening)
    else this.#push({ happening, order: this.#order++ })
  }

  /** When the next thing may happen; undefined when nothing ever will. */
  get nextAtMs(): number | undefined {
    this.#dropCancelled()
    if (this.#ready.length > 0) return this.nowMs
    while (this.#later[0]?.happening.isCancelled === true) this.#pop()
    return this.#later[0]?.happening.atMs
  }

  /** Takes out what happens next; time moves on only when nothing may happen now. */
  next(pick: Pick): Happening | undefined {
    for (;;) {
      this.#dropCancelled()
      if (this.#ready.length === 0 && !this.#moveOn()) return undefined
      if (this.#ready.length === 0) continue
      const index = pick(this.#ready)
      const [taken] = this.#ready.splice(index, 1)
      return taken
    }
  }

  #dropCancelled(): void {
    const ready = this.#ready
    let kept = 0
    for (const happening of ready) if (!happening.isCancelled) ready[kept++] = happening
    ready.length = kept
  }

  /** To the next instant at which something may happen. */
  #moveOn(): boolean {
    let top = this.#later[0]
    if (top === undefined) return false
    this.nowMs = Math.max(this.nowMs, top.happening.atMs)
    for (; top !== undefined && top.happening.atMs <= this.nowMs; top = this.#later[0]) {
      this.#pop()
      if (!top.happening.isCancelled) this.#ready.push(top.happening)
    }
    return true
  }

  #push(entry: { readonly happening: Happening; readonly order: number }): void {
    const heap = this.#later
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as typeof entry
      if (isBefore(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #pop(): void {
    const heap = this.#later
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as typeof right)) child += 1
      const below = heap[child] as typeof last
      if (isBefore(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }
}

interface Filed {
  readonly happening: Happening
  readonly order: number
}

function isBefore(left: Filed, right: Filed): boolean {
  const { atMs } = left.happening
  return atMs < right.happening.atMs || (atMs === right.happening.atMs && left.order < right.order)
}
