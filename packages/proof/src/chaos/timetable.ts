/** Schedules that start runs through the storm, each with a client that asks for one more now and then. */
import { BatonClient } from '@baton/core'
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

const TRIGGER_EVERY = 40

export class Timetable {
  readonly #schedules: Schedules
  readonly #client: BatonClient
  readonly #dice: Dice
  readonly kept: readonly Kept[] = [
    { id: 'ticks', everyMs: 1_000, input: 1, overlap: 'allow', triggered: [] },
    { id: 'turns', everyMs: 1_000, input: 2, overlap: 'queue', triggered: [] },
  ]
  #isPaused = false
  isOver = false

  constructor({ ports: { store, queue }, dice }: TimetableOptions) {
    this.#schedules = new Schedules({ store, queue })
    this.#client = new BatonClient({ store, queue })
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
    await unlessOut(async () => void triggered.push(await this.#schedules.trigger(id)))
  }

  /** One step towards the end: each starts no more, and is gone when all that was asked of it is there. */
  async close(): Promise<void> {
    await unlessOut(async () => {
      if (!this.#isPaused) for (const { id } of this.kept) await this.#schedules.pause(id)
      this.#isPaused = true
      for (const { id, triggered } of this.kept) {
        const { status, queuedCount } = await this.#schedules.get(id)
        if (status === 'active' || queuedCount > 0) return
        for (const runId of triggered) if ((await this.#client.getRun(runId)) === undefined) return
      }
      for (const { id } of this.kept) await this.#schedules.delete(id)
      this.isOver = true
    })
  }
}

async function unlessOut(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!isOutage(error)) throw error
  }
}
