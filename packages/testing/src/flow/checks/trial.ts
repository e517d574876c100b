/** A scenario, played: with a flow, its options and what goes wrong. */
import type { RunnableFlow } from '@baton/core'
import { defaults } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import { failure } from '../failure.ts'
import { FlowTest } from '../flow-test.ts'
import type { Mishaps } from '../world/mishaps.ts'
import type { ReadOptions, Scenario } from './check-options.ts'
import { type Ending, endingOf } from './ending.ts'
import type { RealRead } from './real-time-watch.ts'

export interface Played {
  readonly test: FlowTest
  /** Undefined where the scenario threw. */
  readonly ending: Ending | undefined
  readonly thrown: unknown
}

export interface Trial<F extends RunnableFlow> {
  readonly flow: F
  readonly scenario: Scenario<F>
  readonly options: ReadOptions<F>
}

/** Plays it once. What it throws is for the caller to judge. */
export async function play<F extends RunnableFlow>(trial: Trial<F>, mishaps: Mishaps, seed = 0): Promise<Played> {
  const { flow, scenario, options } = trial
  const test = new FlowTest(flow, { ...options.test, seed }, mishaps)
  const seen = test as unknown as FlowTest
  try {
    const value = await scenario(test)
    // What goes wrong makes runs late: by then those that the scenario has left are where they would be.
    await test.advance((options.test.leaseMs ?? defaults.leaseMs) + 2 * defaults.sweepMs)
    return { test: seen, ending: endingOf(seen, value, options.comparable), thrown: undefined }
  } catch (thrown) {
    return { test: seen, ending: undefined, thrown }
  }
}

/** The journals of all runs, for those who look for what went wrong. */
export function journalsOf({ test }: Played): string {
  return test.runs.map(({ runId, journal }) => `journal of ${runId}\n${journal.toText()}`).join('\n\n')
}

/** What code asked of the real clock and of real chance, a line each. */
export function tellReads(reads: readonly RealRead[]): string {
  return reads
    .map(({ nodeId, step, what, where }) => {
      const inStep = step === undefined ? '' : `, in step ${step}`
      return `  ${nodeId}${inStep}: ${what} at ${where}`
    })
    .join('\n')
}

/** A scenario in which no code of a flow runs shows nothing, and looks as if all were well. */
export function assertSomethingRan({ test }: Played): void {
  if (test.runs.length > 0) return
  throw failure('the scenario starts no run, so that nothing was tried: let it `await test.run(input)`')
}

/** What the scenario threw, and with it what its nodes asked for that cannot be repeated: often that is why. */
export function thrownBy({ thrown }: Played, reads: readonly RealRead[]): unknown {
  if (reads.length === 0) return thrown
  const message = `${messageOf(thrown)}\n\nIt asks for what cannot be repeated:\n${tellReads(reads)}`
  const { expected, actual } = (thrown ?? {}) as { expected?: unknown; actual?: unknown }
  return failure(message, { expected, actual, cause: thrown })
}

/** Refuses code that a test cannot repeat. */
export function assertNoRealReads(reads: readonly RealRead[], { refusesRealTime }: ReadOptions<never>): void {
  const outside = reads.filter(({ step }) => step === undefined)
  if (!refusesRealTime || outside.length === 0) return
  throw failure(
    `code of nodes asks the real clock or real chance, which is another answer in every attempt:\n${tellReads(outside)}\n\n` +
      'Take the time from `now()`, and record in a `step` whatever later calls depend on; or pass `realTime: "allow"`.',
    { expected: [], actual: outside },
  )
}
