import type { RunnableFlow } from '@baton/core'
import { checkChoice, checkFunction, checkOptions } from '@baton/core/adapter'
import { assertFlow, type FlowTest, type FlowTestOptions, testOptions } from '../flow-test.ts'

/** What is done with the flow: called anew, with a new test, for each time that it is tried. */
export type Scenario<F extends RunnableFlow> = (test: FlowTest<F>) => unknown

/** What all checks take. */
export interface CheckOptions<F = RunnableFlow> extends Omit<FlowTestOptions<F>, 'seed'> {
  /**
   * What to do when code of a node asks the real clock or real chance outside of a step, which nothing can repeat.
   * Default `refuse`: the check fails and says where.
   */
  readonly realTime?: 'refuse' | 'allow'
  /** Makes of an output, and of what the scenario gives, what has to be the same: without the times in it, say. */
  readonly comparable?: (output: unknown) => unknown
  /** Told after each try. */
  readonly onProgress?: (done: number, all: number) => void
}

const checkNames = ['realTime', 'comparable', 'onProgress'] as const satisfies readonly (keyof CheckOptions)[]

/** A check tries many seeds, or has its own. */
const testNames = testOptions.filter((name) => name !== 'seed')

export interface ReadOptions<F> {
  readonly test: Omit<FlowTestOptions<F>, 'seed'>
  readonly refusesRealTime: boolean
  readonly comparable: (output: unknown) => unknown
  readonly onProgress: (done: number, all: number) => void
}

/** @param own the names of the check's own options */
export function readCheck<F extends RunnableFlow>(
  flow: F,
  scenario: Scenario<F>,
  options: CheckOptions<F>,
  own: readonly string[],
): ReadOptions<F> {
  assertFlow(flow)
  checkFunction(scenario ?? null, 'scenario')
  checkOptions(options, [...testNames, ...checkNames, ...own])
  const { realTime = 'refuse', comparable = (output) => output, onProgress = () => {} } = options
  checkChoice(realTime, 'realTime', ['refuse', 'allow'])
  checkFunction(comparable, 'comparable')
  checkFunction(onProgress, 'onProgress')
  const given = options as Readonly<Record<string, unknown>>
  const test = Object.fromEntries(testNames.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
  return { test, refusesRealTime: realTime === 'refuse', comparable, onProgress }
}
