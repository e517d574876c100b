/**
 * Work that others could not do: what is on the store's waiting lists for the flows and versions of this worker. It has
 * no job any more, so it is claimed right from the lists: when the worker starts, with every sweep, and when the store
 * says that something has come. It takes its turn for a place with what the queue brings, so that neither starves.
 */
import type { IClock } from '../ports/clock.ts'
import { LogThrottle } from '../ports/log-throttle.ts'
import type { ILogger } from '../ports/logger.ts'
import type { DueFlow, DueItem, IRunStore } from '../ports/run-store.ts'
import type { Slots } from './slots.ts'

export type FoundInstance = DueItem & { readonly type: 'instance' }

export interface WaitingWorkOptions {
  readonly store: IRunStore
  readonly slots: Slots
  readonly clock: IClock
  readonly logger: ILogger
  readonly workerId: string
  readonly flows: () => readonly DueFlow[]
  /** Works in the place that `release` gives back. @returns whether the claim was won, as soon as that is known */
  readonly begin: (item: FoundInstance, release: () => void) => Promise<boolean>
}

const PAGE = 64

export class WaitingWork {
  readonly #options: WaitingWorkOptions
  readonly #failures: LogThrottle
  #isWanted = false
  #isLooking = false
  #cancelHints = () => {}

  constructor(options: WaitingWorkOptions) {
    this.#options = options
    this.#failures = new LogThrottle(options.clock)
  }

  /** Looks when the store says that there is something, until `stop`. */
  listen(): void {
    const { store, flows } = this.#options
    this.#cancelHints = store.onEnlisted(flows(), () => this.look())
  }

  stop(): void {
    this.#cancelHints()
  }

  /** Works off what is on the lists, beside everything else. While it does, another look is only noted. */
  look(): void {
    this.#isWanted = true
    if (this.#isLooking) return
    this.#isLooking = true
    const { logger, workerId } = this.#options
    this.#workOff()
      .catch((error: unknown) => {
        const message = 'the waiting lists could not be read; the next sweep will'
        logger.log(this.#failures.level(), message, { workerId, error })
      })
      .finally(() => {
        this.#isLooking = false
      })
  }

  async #workOff(): Promise<void> {
    const { store, flows } = this.#options
    while (this.#isWanted) {
      this.#isWanted = false
      const items = await store.due({ limit: PAGE, flows: flows(), enlisted: true })
      this.#failures.over()
      const won = await this.#beginAll(items)
      if (won === undefined) return
      // Where others take everything away there is no hurry: what they leave is found with the next sweep.
      if (items.length === PAGE && won) this.#isWanted = true
    }
  }

  /** @returns whether anything was claimed; undefined when no more is to be begun */
  async #beginAll(items: readonly DueItem[]): Promise<boolean | undefined> {
    const { slots, begin } = this.#options
    const claims: Promise<boolean>[] = []
    for (const item of items) {
      if (item.type !== 'instance') continue
      const release = await slots.take()
      if (release === undefined) return undefined
      claims.push(begin(item, release))
    }
    return (await Promise.all(claims)).includes(true)
  }
}
