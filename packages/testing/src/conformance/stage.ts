import { type IClock, systemClock } from '@baton/core'
import { wait } from '@baton/core/adapter'
import { Hand } from './hand.ts'
import type { Subject, World } from './subject.ts'

/** What one case plays on: a world of its own, and time. */
export class Stage {
  readonly subject: Subject
  readonly world: World
  readonly tickMs: number
  /** Longer than any test: a lease of this length ends only if something else ends it. */
  readonly longMs = 600_000

  #isTimed = false

  constructor(subject: Subject, world: World) {
    this.subject = subject
    this.world = world
    this.tickMs = subject.tickMs
  }

  get store(): World['store'] {
    return this.world.store
  }

  get clock(): IClock {
    return this.world.clock ?? systemClock
  }

  /** A time that the case measures by. */
  ticks(count: number): number {
    this.measureTime()
    return count * this.tickMs
  }

  /** Somebody who does by hand what a worker does. */
  hand(workerId = 'worker-1', world: World = this.world): Hand {
    return new Hand(world.store, workerId)
  }

  /** Whether the case has relied on real time being kept, so that a slow machine could have spoilt it. */
  get isTimed(): boolean {
    return this.#isTimed
  }

  /** Says that what follows measures time. `ticks` and `pass` say so by themselves. */
  measureTime(): void {
    this.#isTimed = this.world.clock === undefined
  }

  /** Lets time pass: on the world's clock, or really. */
  async pass(ms: number): Promise<void> {
    this.measureTime()
    if (this.world.clock !== undefined) await this.world.clock.advance(ms)
    else await wait(systemClock, ms)
  }

  /** Lets time pass until the promise is settled, and fails when it takes longer. */
  async until<Value>(promise: PromiseLike<Value>, withinMs = this.tickMs * 500): Promise<Value> {
    if (this.world.clock !== undefined) return this.world.clock.until(promise, withinMs)
    const stop = new AbortController()
    const tooLate = wait(systemClock, withinMs, stop.signal).then(() => {
      if (!stop.signal.aborted) throw new Error(`it did not happen within ${withinMs} ms`)
    })
    try {
      return await (Promise.race([promise, tooLate]) as Promise<Value>)
    } finally {
      stop.abort()
    }
  }
}
