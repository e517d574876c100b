import type { RunnableFlow } from '@baton/core'
import { checkNumber, messageOf } from '@baton/core/adapter'
import { failure } from '../failure.ts'
import { realNowMs } from '../world/real-time.ts'
import { type CheckOptions, readCheck, type Scenario } from './check-options.ts'
import { CheckReport, CRASHES, counted, NodeCounts } from './check-report.ts'
import { type CrashGoal, CrashPlan, type CrashPoint, nameOf, parseCrash } from './crash-plan.ts'
import { differences } from './ending.ts'
import { RealTimeWatch } from './real-time-watch.ts'
import { assertNoRealReads, journalsOf, play, type Trial, tellReads } from './trial.ts'
import { type PlayedWell, usualEnding } from './usual-ending.ts'

export interface CrashOptions<F = RunnableFlow> extends CheckOptions<F> {
  /** Crashes at most; the report says how many were left out, evenly. Default 1,000. */
  readonly limit?: number
  /** One crash alone, as a failure names it: `12 after commit`. */
  readonly only?: string
}

interface Bad {
  readonly name: string
  readonly told: string
}

/** Told whole; of the others the names. */
const TOLD_WHOLE = 2

/**
 * Plays the scenario once for each call that a worker makes to a store or a queue, and for each `test.effect`: there the
 * worker dies, before the call takes effect or before its answer is seen, and another one goes on. Each time it has to end
 * as it does without a crash: what the scenario gives, how the runs end, what happened outside, and no attempt settled
 * twice. Throws an `AssertionError` that says at which calls it does not.
 */
export async function crashEverywhere<F extends RunnableFlow>(
  flow: F,
  scenario: Scenario<F>,
  options: CrashOptions<F> = {},
): Promise<CheckReport> {
  const read = readCheck(flow, scenario, options, ['limit', 'only'] satisfies (keyof CrashOptions)[])
  const { limit = 1_000, only } = options
  checkNumber(limit, 'limit', { least: 1, whole: true })
  const goal = only === undefined ? undefined : parseCrash(only)
  const watch = new RealTimeWatch()
  const check = new CrashCheck({ flow, scenario, options: read }, watch)
  return watch.during(() => check.run(limit, goal))
}

class CrashCheck<F extends RunnableFlow> {
  readonly #trial: Trial<F>
  readonly #watch: RealTimeWatch
  readonly #startedMs = realNowMs()

  constructor(trial: Trial<F>, watch: RealTimeWatch) {
    this.#trial = trial
    this.#watch = watch
  }

  async run(limit: number, goal: CrashGoal | undefined): Promise<CheckReport> {
    const calm = new CrashPlan()
    const plans = [calm]
    const usual = await usualEnding(this.#trial, this.#watch, () => plans.pop() ?? new CrashPlan())
    const counts = new NodeCounts(usual.test.counts)
    const points = goal === undefined ? evenly(calm.points, limit) : [goal]
    const bad: Bad[] = []
    for (const [index, point] of points.entries()) {
      const found = await this.#crash(point, usual, counts)
      if (found !== undefined) bad.push(found)
      this.#trial.options.onProgress(index + 1, points.length)
    }
    const leftOut = goal === undefined ? calm.points.length - points.length : 0
    const tookMs = realNowMs() - this.#startedMs
    const report = new CheckReport({ unit: CRASHES, tried: points.length, leftOut, tookMs, nodes: counts.all })
    if (bad.length > 0) throw this.#failure(bad, report)
    assertNoRealReads(this.#watch.reads, this.#trial.options)
    return report
  }

  /** @returns what was not as usual */
  async #crash(goal: CrashGoal, usual: PlayedWell, counts: NodeCounts): Promise<Bad | undefined> {
    const plan = new CrashPlan(goal)
    const played = await play(this.#trial, plan)
    counts.add(played.test.counts)
    const { struck } = plan
    const name = struck === undefined ? `${goal.call} ${goal.when}` : nameOf(struck)
    if (struck === undefined)
      return { name, told: `there is no call ${goal.call}: the scenario takes another way each time` }
    const lines =
      played.ending === undefined
        ? [`the scenario throws: ${messageOf(played.thrown)}`]
        : differences(usual.ending, played.ending, 'without a crash')
    if (lines.length === 0) return undefined
    const told = `${tellCrash(struck)}\n  ${lines.join('\n  ')}\n\n${journalsOf(played)}`
    return { name, told }
  }

  #failure(bad: readonly Bad[], report: CheckReport): Error {
    const [first] = bad as [Bad]
    const whole = bad.slice(0, TOLD_WHOLE).map(({ told }) => told)
    const others = bad.slice(TOLD_WHOLE).map(({ name }) => name)
    const { reads } = this.#watch
    const parts = [
      `${bad.length} of ${counted(report.tried, CRASHES)} ${bad.length === 1 ? 'changes' : 'change'} how it ends`,
      ...whole,
      ...(others.length === 0 ? [] : [`The same or the like: ${others.join(', ')}`]),
      ...(reads.length === 0 ? [] : [`It asks for what cannot be repeated:\n${tellReads(reads)}`]),
      `Repeat it with: crashEverywhere(flow, scenario, { only: '${first.name}' })`,
      report.toText(),
    ]
    return failure(parts.join('\n\n'), { expected: 'the same end', actual: bad.map(({ name }) => name) })
  }
}

function tellCrash({ call, when, what, about }: CrashPoint): string {
  const of = about === '' ? '' : ` of ${about}`
  if (what === 'effect') return `A worker died right after the effect ${about} (call ${call}), and another one went on:`
  const seen = when === 'after' ? 'after it took effect, before it saw the answer' : 'before it took effect'
  return `A worker died in call ${call}, ${what}${of}, ${seen}, and another one went on:`
}

/** So many of them, spread over all. */
function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)] as Item)
}
