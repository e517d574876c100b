/** Finds what nobody has published: the worker that committed it has no sink, has died, or its sink has failed. */
import type { IRunStore } from '../ports/run-store.ts'
import type { Publisher } from './publisher.ts'
import { SweepRole, type SweepRoleOptions } from './sweep-role.ts'

export interface JournalSweepOptions extends Omit<SweepRoleOptions, 'name'> {
  readonly store: Pick<IRunStore, 'due' | 'redispatch'>
  readonly publisher: Publisher
}

/** Among those that have a sink: the sweeper itself may have none. */
const ROLE = 'baton/publisher'
/** So long it stays away from the role when its sink fails: another one may have a sink that does not. */
const REST_TURNS = 2
const PAGE = 200
/** Of one look: what is left then waits for the next. */
const MOST_PAGES = 50

export class JournalSweep {
  readonly #options: JournalSweepOptions
  readonly #role: SweepRole
  #hasRole = false
  #restTurns = 0

  constructor(options: JournalSweepOptions) {
    this.#options = options
    this.#role = new SweepRole({ ...options, name: ROLE })
  }

  async look(): Promise<void> {
    const { store, publisher } = this.#options
    if (await this.#rests()) return
    this.#hasRole = await this.#role.has()
    if (!this.#hasRole) return
    for (let page = 0; page < MOST_PAGES && publisher.isOpen; page++) {
      const items = await store.due({ limit: PAGE, unsentOnly: true, journals: true })
      // First, so that what cannot be published is not looked at again with each sweep.
      if (items.length > 0) await store.redispatch(items)
      for (const { runId } of items) publisher.now(runId)
      if (items.length < PAGE) return
    }
  }

  /** After that it may ask again: were all to stay away, nobody would hear that the sink is back. */
  async #rests(): Promise<boolean> {
    if (this.#restTurns > 0) {
      this.#restTurns -= 1
      return true
    }
    if (!this.#hasRole || !this.#options.publisher.isFailing) return false
    this.#hasRole = false
    this.#restTurns = REST_TURNS
    await this.#role.leave()
    return true
  }

  leave(): Promise<void> {
    return this.#role.leave()
  }
}
