/** Schedules that start runs through the storm, each with a client that asks for one more now and then. */
import { BatonError } from '@baton/core'
import { Schedules } from '@baton/schedule'
import type { Dice } from '@baton/testing/simulator'
import type { Ports } from './backend.ts'
import { scheduled } from './flows/index.ts'
import { isOutage, untilAcknowledged } from './load.ts'

/** A schedule, and what its client was told. */
export interface Kept {
  readonly id: string
  readonly everyMs: number
  readonly input: number
  /** Whether its runs may be under way at the same time. */
  readonly overlap: 'allow' | 'queue'
  /** The runs that were asked for, beside those of its instants. */
  readonly triggered: string[]
}

export interface TimetableOptions {
  readonly ports: Ports
  readonly dice: Dice
}

const TRIGGER_EVERY = 80

export class Timetable {
  readonly #schedules: Schedules
  readonly #dice: Dice
  readonly kept: readonly Kept[] = [
    { id: 'ticks', everyMs: 1_000, input: 1, overlap: 'allow', triggered: [] },
    // Rare enough for a slow machine: a run in line has to wait for those before it, and a hundred at most are in line.
    { id: 'turns', everyMs: 5_000, input: 2, overlap: 'queue', triggered: [] },
  ]

  constructor({ ports: { store, queue }, dice }: TimetableOptions) {
    this.#schedules = new Schedules({ store, queue })
    this.#dice = dice
  }

  async open(): Promise<void> {
    for (const { id, everyMs, input, overlap } of this.kept) {
      const schedule = { id, flow: scheduled.flow, everyMs, input, overlap, catchUp: 'all' } as const
      await untilAcknowledged(() => this.#schedules.create(schedule))
    }
  }

  /** Asks for a run, now and then. */
  async tend(): Promise<void> {
    if (this.#dice.below(TRIGGER_EVERY) > 0) return
    const { id, triggered } = this.#dice.pick(this.kept)
    try {
      triggered.push(await this.#schedules.trigger(id))
    } catch (error) {
      // It may come or not: nobody was told which. Of a schedule that is gone the verdict will speak.
      if (!isOutage(error) && !isGone(error)) throw error
    }
  }

  /** From now on there are no more instants. What waits in line is still started, and with the last of it each ends by itself. */
  async close(): Promise<void> {
    const endAtMs = Date.now()
    for (const { id } of this.kept) {
      try {
        await untilAcknowledged(() => this.#schedules.update(id, { endAtMs }))
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
  }
}

/** It was created, and has ended by itself. */
function isGone(error: unknown): boolean {
  return BatonError.is(error, 'UNKNOWN_SCHEDULE')
}
