/** People who meddle with runs: they hold some for a while, call some off, and see to work that has failed. */
import type { RunHandle, RunSummary } from '@baton/core'
import type { Dice } from '@baton/testing/simulator'
import type { Live } from './load.ts'
import type { Outside } from './outside.ts'

export interface OperatorOptions {
  readonly dice: Dice
  readonly outside: Outside
}

/** One look in so many begins a pause. */
const PAUSE_EVERY = 60
/** Pauses last up to so many looks. */
const PAUSE_LOOKS = 12

export class Operator {
  readonly #options: OperatorOptions
  #count = 0
  /** From now on nothing more is held. */
  isResting = false

  constructor(options: OperatorOptions) {
    this.#options = options
  }

  /** @param handle of the newest of the runs that go on for each other */
  async see(run: Live, handle: RunHandle, { deadLetterCount = 0 }: RunSummary): Promise<void> {
    if (run.looks >= run.cancelAfter && run.isCalledOff === undefined) {
      run.isCalledOff = await run.handle.cancel('called off by its client')
      return
    }
    if (deadLetterCount > 0 && run.kind.isBrittle === true) await this.mend(run, handle)
    if (run.pausedBy === undefined) await this.#pauseSome(run)
    else if (run.looks >= run.pausedUntil) {
      await run.handle.unpause({ by: run.pausedBy })
      run.pausedBy = undefined
    }
  }

  /** Mends what is broken outside, and has the work done over: two people at once, who do not know of each other. */
  async mend(run: Live, handle: RunHandle): Promise<void> {
    this.#options.outside.mend(run.runId)
    const answers = await Promise.allSettled([handle.redrive({ by: 'ada' }), handle.redrive({ by: 'grace' })])
    const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    for (const { runId } of done) run.redrivenAs.add(runId)
    const [first] = done
    if (first === undefined) throw (answers[0] as PromiseRejectedResult).reason
    run.handle = first
  }

  async #pauseSome(run: Live): Promise<void> {
    const { dice } = this.#options
    if (this.isResting || dice.below(PAUSE_EVERY) > 0) return
    const by = `operator-${++this.#count}`
    const until = run.looks + 1 + dice.below(PAUSE_LOOKS)
    // Whoever is not told how it went lets go of it as well: it may be held.
    run.pausedBy = by
    run.pausedUntil = until
    if (await run.handle.pause({ reason: 'for a while', by })) run.pauses.push(by)
  }
}
