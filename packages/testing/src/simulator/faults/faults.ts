/** What goes wrong, drawn from the seed. Every fault has a number, so that a failing seed can be tried with fewer. */
import type { Job } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Actor, CallFate } from '../world/actor.ts'

/** Faults of single calls and jobs, and those that strike the world between two steps. */
export const faultKinds = [
  'refused',
  'answer-lost',
  'slow',
  'job-lost',
  'job-doubled',
  'job-delayed',
  'crash',
  'freeze',
  'stop',
  'clock-jump',
  'queue-wiped',
  'nobody-sweeps',
  'outage',
  'store-clock-jump',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** How likely each is: per call, per job, or per step. */
export type FaultRates = { readonly [kind in FaultKind]: number }

export interface FaultsOptions {
  readonly seed: number
  readonly rates: FaultRates
  readonly leaseMs: number
  /** Which of the faults, by number, do happen. Default: all. */
  readonly allows?: ((number: number) => boolean) | undefined
}

export class Faults {
  readonly rates: FaultRates
  /** The numbers of the faults that happened. */
  readonly happened: number[] = []
  /** Nobody finds anything due, and nobody is the sweeper. */
  isBlind = false
  /** Whose calls all fail for now. */
  readonly cutOff = new Set<Actor>()
  readonly #dice: Dice
  readonly #leaseMs: number
  readonly #allows: (number: number) => boolean
  #count = 0
  #isHealed = false

  constructor({ seed, rates, leaseMs, allows = () => true }: FaultsOptions) {
    this.rates = rates
    this.#dice = new Dice(hash(`${seed} faults`))
    this.#leaseMs = leaseMs
    this.#allows = allows
  }

  /** From now on nothing goes wrong. */
  heal(): void {
    this.#isHealed = true
    this.isBlind = false
    this.cutOff.clear()
  }

  get isHealed(): boolean {
    return this.#isHealed
  }

  /** A number below the limit, for what has to be chosen and is no fault. */
  below(limit: number): number {
    return limit === 1 ? 0 : this.#dice.below(limit)
  }

  /** Whether a fault of this kind happens now. */
  occurs(kind: FaultKind): boolean {
    const rate = this.rates[kind]
    if (this.#isHealed || rate === 0 || !this.#dice.happens(rate)) return false
    const number = this.#count++
    if (!this.#allows(number)) return false
    this.happened.push(number)
    return true
  }

  fateOfCall(actor: Actor, what: string): CallFate {
    if (this.cutOff.has(actor)) return { requestMs: 5, answerMs: 0, trouble: 'refused' }
    // Following a journal is no call: its connection is simply there.
    if (this.#isHealed || what === 'follow') return SMOOTH
    const trouble = this.occurs('refused') ? 'refused' : this.occurs('answer-lost') ? 'answer-lost' : 'none'
    return { requestMs: this.#wayMs(), answerMs: this.#wayMs(), trouble }
  }

  /** After which delays a job that was sent arrives: once, if all is well. */
  waysOfJob(_job: Job): readonly number[] {
    if (this.occurs('job-lost')) return []
    const first = this.occurs('job-delayed') ? this.#dice.below(2 * this.#leaseMs) : 0
    return this.occurs('job-doubled') ? [first, this.#dice.below(this.#leaseMs)] : [first]
  }

  losesRequestOfTheDead(): boolean {
    return this.#dice.happens(0.5)
  }

  /** Most calls are quick, some take a while, and few take longer than a lease. */
  #wayMs(): number {
    const { rates } = this
    if (rates.slow === 0 || this.#dice.happens(0.6)) return 0
    if (this.occurs('slow')) return this.#dice.below(1.5 * this.#leaseMs)
    return this.#dice.below(8)
  }
}

const SMOOTH: CallFate = { requestMs: 0, answerMs: 0, trouble: 'none' }
