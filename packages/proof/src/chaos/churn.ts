/**
 * Workers that leave as after a deploy and join again, time and again. A queue whose workers are members of a group deals its work out anew
 * each time: there it is called a rebalance storm.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Dice } from '@baton/testing/simulator'
import type { Crew, Member } from './crew.ts'

export interface ChurnOptions {
  readonly crew: Crew
  readonly dice: Dice
  readonly seconds: number
}

/** From one that leaves to the next; and how long one stays away that has left. */
const MOST_PAUSE_MS = 600
const LEAST_PAUSE_MS = 50

export class Churn {
  readonly #options: ChurnOptions
  readonly #away = new Set<Promise<void>>()
  /** How often a worker has left and joined again. */
  returns = 0

  constructor(options: ChurnOptions) {
    this.#options = options
  }

  /** Resolves when the time is over, or at the signal, and all are back. */
  async blow(signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + 1_000 * this.#options.seconds
    while (performance.now() < untilMs && !signal.aborted) {
      this.#sendOneAway()
      await this.#pause()
    }
    await Promise.all(this.#away)
  }

  /** More than half of them have to be at work: others are frozen, or were killed and have successors who start. */
  #sendOneAway(): void {
    const { crew, dice } = this.#options
    const here = crew.members.filter(({ isReady, isFrozen }) => isReady && !isFrozen)
    if (here.length <= crew.members.length / 2) return
    const leave = this.#leaveAndReturn(dice.pick(here)).finally(() => this.#away.delete(leave))
    this.#away.add(leave)
  }

  async #leaveAndReturn(member: Member): Promise<void> {
    await member.leave()
    await this.#pause()
    await member.join()
    if (member.isReady) this.returns += 1
  }

  async #pause(): Promise<void> {
    await wait(this.#options.dice.between(LEAST_PAUSE_MS, MOST_PAUSE_MS))
  }
}
