/** A journal sink as one process sees it. For a while nobody can reach it. */
import type { IJournalSink } from '@baton/core'
import type { Dice } from '../../dice.ts'
import type { Referee } from '../checker/referee.ts'
import type { Actor } from './actor.ts'
import type { World } from './world.ts'

export interface TopicOptions {
  readonly world: World
  readonly referee: Referee
  readonly dice: Dice
  /** How long things go wrong. */
  readonly chaosMs: number
}

export class Topic {
  readonly #options: TopicOptions
  readonly #downFromMs: number
  readonly #downUntilMs: number

  constructor(options: TopicOptions) {
    const { world, dice, chaosMs } = options
    this.#options = options
    this.#downFromMs = world.nowMs + dice.below(chaosMs)
    this.#downUntilMs = dice.happens(0.5) ? this.#downFromMs + dice.below(chaosMs) : 0
  }

  sinkOf(actor: Actor): IJournalSink {
    const { referee } = this.#options
    return {
      publish: (runId, entries) => {
        const take = () => {
          if (this.#isDown) throw new Error('the topic cannot be reached: part of the simulation')
          referee.published(runId, structuredClone(entries))
        }
        return actor.call('publish', take, { detail: () => `${runId} ${entries[0]?.seq} … ${entries.at(-1)?.seq}` })
      },
      close: () => {},
    }
  }

  get #isDown(): boolean {
    const { nowMs, faults } = this.#options.world
    return !faults.isHealed && nowMs >= this.#downFromMs && nowMs < this.#downUntilMs
  }
}
