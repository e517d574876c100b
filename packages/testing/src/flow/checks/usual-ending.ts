import type { RunnableFlow } from '@baton/core'
import { failure } from '../failure.ts'
import type { Mishaps } from '../world/mishaps.ts'
import { differences, type Ending } from './ending.ts'
import type { RealTimeWatch } from './real-time-watch.ts'
import { assertSomethingRan, journalsOf, type Played, play, type Trial, tellReads, thrownBy } from './trial.ts'

export type PlayedWell = Played & { readonly ending: Ending }

/**
 * How it ends when nothing goes wrong: what every try is held against. Played twice, since a scenario that ends
 * differently by itself can be held against nothing.
 */
export async function usualEnding<F extends RunnableFlow>(
  trial: Trial<F>,
  watch: RealTimeWatch,
  mishaps: () => Mishaps,
): Promise<PlayedWell> {
  const first = await play(trial, mishaps())
  if (first.ending === undefined) throw thrownBy(first, watch.reads)
  assertSomethingRan(first)
  const second = await play(trial, mishaps())
  if (second.ending === undefined) throw thrownBy(second, watch.reads)
  const different = differences(first.ending, second.ending, 'the first time')
  if (different.length === 0) return { ...first, ending: first.ending }
  const reads = watch.reads.length === 0 ? '' : `\n\nIt asks for what cannot be repeated:\n${tellReads(watch.reads)}`
  throw failure(
    `the scenario ends differently when it is played twice, and nothing went wrong:\n  ${different.join('\n  ')}${reads}\n\n` +
      'Make what it uses anew inside of the scenario, or pass `comparable` to leave out what may differ.\n\n' +
      journalsOf(second),
  )
}
