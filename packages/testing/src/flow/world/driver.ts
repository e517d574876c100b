/**
 * Lets things happen until what somebody waits for is so. While code of a node, or what is waited for, waits for
 * something real, that gets its time; only then the test's clock goes on.
 */
import { BatonError } from '@baton/core'
import type { FlowWorld } from './flow-world.ts'
import { realMoment, realNowMs, realTurn } from './real-time.ts'

export interface Wish {
  /** What is waited for, in words. */
  readonly what: string
  /** Looked at after everything that happens. */
  readonly isSo: () => boolean
  /** Whether time may move on for it. */
  readonly movesTime: boolean
  /** It may come true by something that is not part of this world. */
  readonly isReal?: boolean
}

interface Waiter extends Wish {
  resolve(): void
  reject(error: unknown): void
}

export interface DriverOptions {
  readonly world: FlowWorld
  /** How long code may wait for something real before the test's clock goes on. */
  readonly realWaitMs: number
  readonly maxSteps: number
  /** The error for those who wait for what will not be. */
  readonly stuck: (why: string, what: string) => Error
}

/** What needs nothing but a few turns of the process (a digest, a promise of promises) is there after so many. */
const QUICK_TURNS = 20

export class Driver {
  readonly #options: DriverOptions
  readonly #waiters = new Set<Waiter>()
  #isGoing = false
  #idleTurns = 0
  #idleSinceMs = 0

  constructor(options: DriverOptions) {
    this.#options = options
  }

  /** Resolves as soon as it is so; rejects when nothing can happen any more. */
  until(wish: Wish): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ ...wish, resolve, reject })
      if (this.#isGoing) return
      this.#isGoing = true
      void this.#go()
    })
  }

  /** Lets things happen until the promise is settled, and gives what it gives. */
  async settle<Value>(promise: Promise<Value>, what: string, movesTime = false): Promise<Value> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    promise.then(over, over)
    await this.until({ what, isSo: () => isOver, movesTime, isReal: true })
    return promise
  }

  async #go(): Promise<void> {
    const { world, maxSteps } = this.#options
    const lastStep = world.steps + maxSteps
    for (;;) {
      this.#release()
      if (this.#waiters.size === 0) {
        // At once: whoever was released may ask for the next thing before a promise of this could tell.
        this.#isGoing = false
        return
      }
      try {
        if (await this.#realMayCome()) continue
        const mayMove = [...this.#waiters].some(({ movesTime }) => movesTime)
        this.#idleTurns = 0
        if (world.isQuiet && !mayMove) this.#fail('nothing more happens at this instant')
        else if (!(await world.step())) this.#fail('nothing can happen any more')
        else if (world.steps > lastStep) this.#fail(`no end after ${maxSteps} steps`)
      } catch (error) {
        this.#rejectAll(() => error)
      }
    }
  }

  #release(): void {
    for (const waiter of [...this.#waiters]) {
      try {
        if (!waiter.isSo()) continue
        this.#waiters.delete(waiter)
        waiter.resolve()
      } catch (error) {
        this.#waiters.delete(waiter)
        waiter.reject(error)
      }
    }
  }

  /** Gives what is real a turn. @returns false when there is nothing real to wait for, or it has had its time */
  async #realMayCome(): Promise<boolean> {
    const { world, realWaitMs } = this.#options
    if (!world.isQuiet) return false
    const open = world.code.open
    const isAsked = [...this.#waiters].some(({ isReal }) => isReal)
    if (open.length === 0 && !isAsked) return false
    if (this.#idleTurns++ === 0) this.#idleSinceMs = realNowMs()
    if (this.#idleTurns <= QUICK_TURNS) {
      await realTurn()
      return true
    }
    const isPatient = open.length > 0 || ![...this.#waiters].some(({ movesTime }) => movesTime)
    if (isPatient && realNowMs() - this.#idleSinceMs < realWaitMs) {
      await realMoment()
      return true
    }
    for (const invocation of open) world.code.giveUp(invocation)
    return false
  }

  #fail(why: string): void {
    this.#rejectAll((what) => this.#options.stuck(why, what))
  }

  #rejectAll(errorFor: (what: string) => unknown): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const { reject, what } of waiters) reject(errorFor(what))
  }
}

/** Refuses a wish that is none. */
export function checkWish(condition: unknown): void {
  if (typeof condition === 'function' || typeof (condition as { then?: unknown } | null)?.then === 'function') return
  const hint = 'Write `test.until(() => run.status === "paused")`, or hand it a promise.'
  throw new BatonError('INVALID_OPTION', { field: 'condition', message: 'not a function and not a promise', hint })
}
