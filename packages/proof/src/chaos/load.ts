/** The clients: they keep runs going, decide what is asked, bring news, and call some runs off. */
import { setTimeout as wait } from 'node:timers/promises'
import { BatonClient, BatonError, isTerminal, type RunHandle, type RunSummary } from '@baton/core'
import type { Dice } from '@baton/testing/simulator'
import type { Ports } from './backend.ts'
import { flows, INPUTS, kinds } from './flows/index.ts'
import type { Kind } from './flows/kind.ts'

/** A start that was acknowledged. */
export interface Started {
  readonly runId: string
  readonly kind: Kind
  readonly input: number
}

interface Live extends Started {
  readonly handle: RunHandle
  /** Called off after so many looks. */
  readonly cancelAfter: number
  looks: number
  seq: number
  isBegun: boolean
}

export interface LoadOptions {
  readonly ports: Ports
  readonly dice: Dice
  /** So many runs are under way at a time. */
  readonly width: number
  readonly onTrouble: (trouble: string) => void
}

const NEVER = Number.POSITIVE_INFINITY
const RETRY_MS = 100

export class Load {
  readonly #options: LoadOptions
  readonly #client: BatonClient
  readonly started: Started[] = []
  readonly #live = new Map<string, Live>()
  #changes = 0

  constructor(options: LoadOptions) {
    this.#options = options
    const { store, queue } = options.ports
    this.#client = new BatonClient({ store, queue, flows })
  }

  get live(): number {
    return this.#live.size
  }

  /** Grows with whatever happens in any run. */
  get changes(): number {
    return this.#changes
  }

  /** Starts what is missing. */
  async fill(): Promise<void> {
    const { width, dice } = this.#options
    while (this.#live.size < width) await this.#start(dice.pick(kinds), dice.below(INPUTS))
  }

  /** Looks at every run that was not over yet, and does what a client would. */
  async tend(): Promise<void> {
    for (const run of [...this.#live.values()]) {
      try {
        await this.#look(run)
      } catch (error) {
        if (isTooLate(error) || isOutage(error)) continue
        // No client can do more about it; the verdict will.
        this.#options.onTrouble(`${run.runId}: ${String(error)}`)
        this.#live.delete(run.runId)
      }
    }
  }

  async #start(kind: Kind, input: number): Promise<void> {
    const { dice } = this.#options
    const runId = `${kind.flow.toBlueprint().id}-${this.started.length}`
    const handle = await this.#untilAcknowledged(() => this.#client.start(kind.flow, input, { runId }))
    const started = { runId, kind, input }
    this.started.push(started)
    const cancelAfter = kind.mayBeCancelled === true ? dice.below(12) : NEVER
    this.#live.set(runId, { ...started, handle, cancelAfter, looks: 0, seq: 0, isBegun: false })
  }

  /** Whoever is not told how it went asks again, for the same run. */
  async #untilAcknowledged<Result>(ask: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isOutage(error)) throw error
        await wait(RETRY_MS)
      }
    }
  }

  async #look(run: Live): Promise<void> {
    if (!run.isBegun) await run.kind.begin?.(run.handle, run.input)
    run.isBegun = true
    const summary = await run.handle.summary()
    this.#note(run, summary)
    if (isTerminal(summary.status)) return void this.#live.delete(run.runId)
    if (run.looks++ === run.cancelAfter) await run.handle.cancel('called off by its client')
    else if (summary.pendingApprovals.length > 0) await run.kind.decide?.(run.handle, run.input)
  }

  #note(run: Live, { seq }: RunSummary): void {
    if (seq > run.seq) this.#changes += 1
    run.seq = seq
  }
}

/** It went on while we were looking. */
function isTooLate(error: unknown): boolean {
  return BatonError.is(error, 'RUN_ENDED') || BatonError.is(error, 'UNKNOWN_APPROVAL')
}

/** It may have happened or not; asking again is safe. */
function isOutage(error: unknown): boolean {
  return BatonError.is(error) && error.retryable
}
