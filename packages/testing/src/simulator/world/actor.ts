/**
 * An actor: one process of the simulated world, be it a worker, a client or an operator. Its code is the engine's own;
 * all that it can do to the world is call ports and set timers, and both come back through the timeline. So an actor
 * can be killed or frozen between any two of its port calls, like a process.
 */
import { BatonError, type IClock } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Happening } from './timeline.ts'
import type { World } from './world.ts'

export type ActorKind = 'worker' | 'client' | 'operator'

/** How a port call fares: how long its two ways take, and what goes wrong. */
export interface CallFate {
  readonly requestMs: number
  readonly answerMs: number
  /** `refused`: it never took effect. `answer-lost`: it did, and the caller is told that it failed. */
  readonly trouble: 'none' | 'refused' | 'answer-lost'
}

export interface CallOptions {
  /** It takes effect and is answered in one go: for reads, whose two ways interest nobody. */
  readonly isShort?: boolean
  readonly detail?: (() => string) | undefined
}

export class Actor {
  readonly name: string
  readonly kind: ActorKind
  readonly world: World
  readonly clock: IClock
  readonly random: () => number
  readonly newId: () => string
  /** How far its clock is from the store's. */
  skewMs = 0
  isGone = false
  isFrozen = false
  /** What reached it while it was frozen. */
  readonly #held: Happening[] = []
  #ids = 0

  constructor(world: World, kind: ActorKind, name: string) {
    this.world = world
    this.kind = kind
    this.name = name
    this.clock = {
      now: () => world.nowMs + this.skewMs,
      after: (delayMs, callback) => this.#timer(delayMs, callback),
    }
    const dice = new Dice(hash(`${world.seed} ${name}`))
    this.random = () => dice.next()
    this.newId = () => `${name}.${++this.#ids}`
  }

  /**
   * Calls a port: the call takes effect at one point of the timeline and is answered at a later one. A crash between
   * the two leaves the effect and loses the answer; a crash before the first may do either.
   */
  call<Answer>(what: string, apply: () => Answer, { isShort = false, detail }: CallOptions = {}): Promise<Answer> {
    const { world } = this
    const fate = world.faults.fateOfCall(this, what)
    return new Promise((resolve, reject) => {
      const answer = (name: string, deliver: () => void) =>
        world.add({ delayMs: fate.answerMs, actor: this, what: name, detail: undefined, run: deliver })
      const fail = () => reject(new BatonError('STORE_UNAVAILABLE', { message: `${what}: part of the simulation` }))
      const run = () => {
        if (this.isGone && world.faults.losesRequestOfTheDead()) return
        if (fate.trouble === 'refused') return answer(`refused ${what}`, fail)
        let deliver: () => void
        try {
          const result = apply()
          deliver = () => resolve(result)
        } catch (error) {
          deliver = () => reject(error)
        }
        if (fate.trouble === 'answer-lost') return answer(`answer lost ${what}`, fail)
        if (isShort) deliver()
        else answer(`answer ${what}`, deliver)
      }
      const actor = isShort ? this : undefined
      const told = () => `${this.name}${detail === undefined ? '' : ` ${detail()}`}`
      world.add({ delayMs: fate.requestMs, actor, what, detail: told, run, ...(isShort ? {} : { caller: this }) })
    })
  }

  /** Keeps what reaches a frozen actor for later. @returns whether it is frozen */
  holds(happening: Happening): boolean {
    if (this.isFrozen) this.#held.push(happening)
    return this.isFrozen
  }

  thaw(): void {
    this.isFrozen = false
    for (const happening of this.#held.splice(0)) this.world.addAgain(happening)
  }

  /** Its memory is gone: nothing reaches it any more. */
  kill(): void {
    this.isGone = true
    this.#held.length = 0
  }

  #timer(delayMs: number, callback: () => void): () => void {
    const happening = this.world.add({
      delayMs: Math.max(0, delayMs),
      actor: this,
      what: 'timer',
      detail: undefined,
      run: callback,
    })
    return () => {
      happening.isCancelled = true
    }
  }
}
