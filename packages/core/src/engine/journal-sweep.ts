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
const PAGE = 200
/** Of one look: what is left then waits for the next. */
const MOST_PAGES = 50

export class JournalSweep {
  readonly #options: JournalSweepOptions
  readonly #role: SweepRole

  constructor(options: JournalSweepOptions) {
    this.#options = options
    this.#role = new SweepRole({ ...options, name: ROLE })
  }

  async look(): Promise<void> {
    const { store, publisher } = this.#options
    if (!(await this.#role.has())) return
    for (let page = 0; page < MOST_PAGES && publisher.isOpen; page++) {
      const items = await store.due({ limit: PAGE, unsentOnly: true, journals: true })
      // First, so that what cannot be published is not looked at again with each sweep.
      if (items.length > 0) await store.redispatch(items)
      for (const { runId } of items) publisher.now(runId)
      if (items.length < PAGE) return
    }
  }

  leave(): Promise<void> {
    return this.#role.leave()
  }
}
