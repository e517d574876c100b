/** Checks that play a scenario with many seeds. */
import type { RunnableFlow } from '@baton/core'
import { checkNumber, messageOf } from '@baton/core/adapter'
import { failure } from '../failure.ts'
import { Mishaps } from '../world/mishaps.ts'
import { realNowMs } from '../world/real-time.ts'
import { type CheckOptions, readCheck, type Scenario } from './check-options.ts'
import { CheckReport, NodeCounts, SEEDS } from './check-report.ts'
import { DoubledJobs } from './doubled-jobs.ts'
import { differences } from './ending.ts'
import { RealTimeWatch } from './real-time-watch.ts'
import {
  assertNoRealReads,
  assertSomethingRan,
  journalsOf,
  type Played,
  play,
  type Trial,
  tellReads,
  thrownBy,
} from './trial.ts'
import { usualEnding } from './usual-ending.ts'

export interface SeedOptions<F = RunnableFlow> extends CheckOptions<F> {
  /** How many seeds. Default 20. */
  readonly seeds?: number
  /** One seed alone, as a failure names it. */
  readonly seed?: number
}

/** A job may be late by as much: longer than the store waits before it reminds. */
const LATE_MS = 60_000

/**
 * Plays the scenario with every job delivered twice, early, late, and in another order, once per seed, on two workers. Each
 * time it has to end as it does with one delivery each.
 */
export function doubleDeliveries<F extends RunnableFlow>(
  flow: F,
  scenario: Scenario<F>,
  options: SeedOptions<F> = {},
): Promise<CheckReport> {
  return playSeeds('doubleDeliveries', { flow, scenario, options }, async (trial, watch) => {
    const two = { ...trial, options: { ...trial.options, test: { workers: 2, ...trial.options.test } } }
    const usual = await usualEnding(trial, watch, () => new Mishaps())
    return {
      counts: usual.test.counts,
      play: (seed) => play(two, new DoubledJobs(seed, LATE_MS), seed),
      judge: ({ ending }) => (ending === undefined ? [] : differences(usual.ending, ending, 'with one delivery each')),
    }
  })
}

/**
 * Plays the scenario once per seed: what may happen at the same instant happens in another order, and retries wait
 * differently long. What the scenario asserts has to hold each time.
 */
export function everySeed<F extends RunnableFlow>(
  flow: F,
  scenario: Scenario<F>,
  options: SeedOptions<F> = {},
): Promise<CheckReport> {
  return playSeeds('everySeed', { flow, scenario, options }, async (trial, watch) => {
    const usual = await play(trial, new Mishaps())
    if (usual.ending === undefined) throw thrownBy(usual, watch.reads)
    assertSomethingRan(usual)
    return {
      counts: usual.test.counts,
      play: (seed) => play(trial, new Mishaps(), seed),
      judge: ({ ending }) => ending?.broken ?? [],
    }
  })
}

interface Given<F extends RunnableFlow> {
  readonly flow: F
  readonly scenario: Scenario<F>
  readonly options: SeedOptions<F>
}

interface SeedCheck {
  readonly counts: ReadonlyMap<string, number>
  play(seed: number): Promise<Played>
  /** What is not as it should be. */
  judge(played: Played): readonly string[]
}

async function playSeeds<F extends RunnableFlow>(
  check: string,
  { flow, scenario, options }: Given<F>,
  prepare: (trial: Trial<F>, watch: RealTimeWatch) => Promise<SeedCheck>,
): Promise<CheckReport> {
  const read = readCheck(flow, scenario, options, ['seeds', 'seed'] satisfies (keyof SeedOptions)[])
  const { seeds = 20, seed } = options
  checkNumber(seeds, 'seeds', { least: 1, whole: true })
  checkNumber(seed, 'seed', { least: 1, whole: true })
  const startedMs = realNowMs()
  const watch = new RealTimeWatch()
  return watch.during(async () => {
    const prepared = await prepare({ flow, scenario, options: read }, watch)
    const counts = new NodeCounts(prepared.counts)
    const all = seed === undefined ? Array.from({ length: seeds }, (_, index) => index + 1) : [seed]
    for (const [index, each] of all.entries()) {
      const played = await prepared.play(each)
      counts.add(played.test.counts)
      assertGood(check, each, played, prepared.judge(played), watch)
      read.onProgress(index + 1, all.length)
    }
    assertNoRealReads(watch.reads, read)
    const tookMs = realNowMs() - startedMs
    return new CheckReport({ unit: SEEDS, tried: all.length, leftOut: 0, tookMs, nodes: counts.all })
  })
}

function assertGood(check: string, seed: number, played: Played, bad: readonly string[], watch: RealTimeWatch): void {
  if (played.ending !== undefined && bad.length === 0) return
  const { thrown } = played
  const what = played.ending === undefined ? messageOf(thrown) : bad.join('\n  ')
  const reads = watch.reads.length === 0 ? '' : `It asks for what cannot be repeated:\n${tellReads(watch.reads)}\n\n`
  const repeat = `Repeat it with: ${check}(flow, scenario, { seed: ${seed} })`
  const { expected, actual } = (thrown ?? {}) as { expected?: unknown; actual?: unknown }
  throw failure(`seed ${seed}:\n  ${what}\n\n${reads}${repeat}\n\n${journalsOf(played)}`, {
    expected,
    actual,
    ...(thrown === undefined ? {} : { cause: thrown }),
  })
}
