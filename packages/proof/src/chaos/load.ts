/** The clients: they keep runs going, decide what is asked, and bring news. */
import { setTimeout as wait } from 'node:timers/promises'
import { BatonClient, BatonError, isTerminal, type RunHandle, type RunSummary } from '@baton/core'
import type { Dice } from '@baton/testing/simulator'
import type { Ports } from './backend.ts'
import { flows, INPUTS, kinds } from './flows/index.ts'
import type { Kind } from './flows/kind.ts'
import type { Operator } from './operator.ts'

/** A start that was acknowledged, and what else was about this run. */
export interface Started {
  readonly runId: string
  readonly kind: Kind
  readonly input: number
  /** What the one who called it off was told; undefined where nobody did. */
  isCalledOff: boolean | undefined
  /** Who was told that it is paused. */
  readonly pauses: string[]
  /** The runs in which its failed work is done over, as those were told who asked for it. */
  readonly redrivenAs: Set<string>
}

/** One that may not be over yet. */
export interface Live extends Started {
  handle: RunHandle
  /** Called off after so many looks. */
  readonly cancelAfter: number
  looks: number
  pausedBy: string | undefined
  pausedUntil: number
  place: string
  isBegun: boolean
  newsBrought: number
}

export interface LoadOptions {
  readonly ports: Ports
  readonly dice: Dice
  readonly operator: Operator
  /** So many runs are under way at a time. */
  readonly width: number
  readonly onTrouble: (trouble: string) => void
}

const NEVER = Number.POSITIVE_INFINITY
const RETRY_MS = 100
/** News is brought again once in so many times. */
const TWICE_EVERY = 3

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
    const options = { ...kind.options?.(input), runId }
    const handle = await untilAcknowledged(() => this.#client.start(kind.flow, input, options))
    const cancelAfter = kind.mayBeCancelled === true ? dice.below(20) : NEVER
    const live: Live = {
      runId,
      kind,
      input,
      isCalledOff: undefined,
      pauses: [],
      redrivenAs: new Set(),
      handle,
      cancelAfter,
      looks: 0,
      pausedBy: undefined,
      pausedUntil: NEVER,
      place: '',
      isBegun: false,
      newsBrought: 0,
    }
    this.started.push(live)
    this.#live.set(runId, live)
  }

  async #look(run: Live): Promise<void> {
    const { operator } = this.#options
    if (!run.isBegun) await run.kind.begin?.(run.handle, run.input)
    run.isBegun = true
    const handle = await run.handle.latest()
    const summary = await handle.summary()
    this.#note(run, summary)
    run.looks += 1
    if (!isTerminal(summary.status)) {
      await operator.see(run, handle, summary)
      if (summary.pendingApprovals.length > 0) await run.kind.decide?.(run.handle, run.input)
      await this.#bringNews(run)
    } else if (summary.status === 'failed' && run.kind.isBrittle === true && !run.redrivenAs.has(summary.runId)) {
      await operator.mend(run, handle)
    } else if (summary.continuedBy === undefined) this.#live.delete(run.runId)
  }

  /** One at a time, so that their order is known. */
  async #bringNews(run: Live): Promise<void> {
    const { dice } = this.#options
    const { kind, input, handle, newsBrought } = run
    const news = kind.news?.(input) ?? []
    const next = news[newsBrought]
    if (next === undefined) return
    const again = newsBrought > 0 && dice.below(TWICE_EVERY) === 0 ? news[newsBrought - 1] : undefined
    for (const each of again === undefined ? [next] : [again, next]) {
      await handle.signal(each.name, each.payload, { signalId: each.signalId })
    }
    run.newsBrought += 1
  }

  #note(run: Live, { runId, seq }: RunSummary): void {
    const place = `${runId} ${seq}`
    if (place !== run.place) this.#changes += 1
    run.place = place
  }
}

/** Whoever is not told how it went asks again, for the same. */
export async function untilAcknowledged<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isOutage(error)) throw error
      await wait(RETRY_MS)
    }
  }
}

/** It went on while we were looking. */
function isTooLate(error: unknown): boolean {
  return (['RUN_ENDED', 'UNKNOWN_APPROVAL', 'NOT_REDRIVABLE'] as const).some((code) => BatonError.is(error, code))
}

/** It may have happened or not; asking again is safe. */
export function isOutage(error: unknown): boolean {
  return BatonError.is(error) && error.retryable
}
