/**
 * The rules of `all` and `any`: what a node does with the set of fates that reached it. Pure.
 *
 * - `all` runs once every edge has arrived and none failed. Skipped edges arrive too, so that it never waits for a
 *   branch that will not come (P3). One failure poisons it.
 * - `any` runs on the first success. One failure that comes before it runs calls it off, unless failures are ignored;
 *   then it fails only when all that was not skipped has failed.
 * - A node all of whose edges were skipped is skipped in turn.
 */
import type { JoinRule } from '../model/run.ts'
import type { ClaimedArrival } from '../ports/claim.ts'

export type JoinVerdict = 'run' | 'skip' | 'fail'

export function joinVerdict(rule: JoinRule, arrivals: readonly ClaimedArrival[]): JoinVerdict {
  if (arrivals.length === 0) return 'run'
  let succeeded = 0
  let failed = 0
  for (const { fate } of arrivals) {
    if (fate === 'succeeded') succeeded += 1
    else if (fate === 'failed') failed += 1
  }
  if (rule === 'any-ignore') return succeeded > 0 ? 'run' : failed > 0 ? 'fail' : 'skip'
  if (failed > 0) return 'fail'
  return succeeded > 0 ? 'run' : 'skip'
}

/** The arrivals that an input is made of: every success, or for `any` the first. */
export function inputArrivals(rule: JoinRule, arrivals: readonly ClaimedArrival[]): readonly ClaimedArrival[] {
  if (rule === 'all' && arrivals.every(({ fate }) => fate === 'succeeded')) return arrivals
  const successes = arrivals.filter(({ fate }) => fate === 'succeeded')
  return rule === 'any' || rule === 'any-ignore' ? successes.slice(0, 1) : successes
}
