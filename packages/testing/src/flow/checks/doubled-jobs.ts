import { Dice, hash } from '../../dice.ts'
import { Mishaps } from '../world/mishaps.ts'

/** Each job comes twice, and neither when it should: early ones overtake late ones. */
export class DoubledJobs extends Mishaps {
  readonly #dice: Dice
  readonly #mostMs: number

  constructor(seed: number, mostMs: number) {
    super()
    this.#dice = new Dice(hash(`${seed} doubled jobs`))
    this.#mostMs = mostMs
  }

  override below(limit: number): number {
    return this.#dice.below(limit)
  }

  override waysOfJob(): readonly number[] {
    return [this.#delayMs(), this.#delayMs()]
  }

  /** Half of them come at once: two at the same moment are of interest as well. */
  #delayMs(): number {
    return this.#dice.happens(0.5) ? 0 : this.#dice.below(this.#mostMs)
  }
}
