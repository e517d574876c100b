import { describe, expect, it } from 'vitest'
import type { Fate, JoinRule } from '../model/run.ts'
import type { ClaimedArrival } from '../ports/claim.ts'
import { inputArrivals, type JoinVerdict, joinVerdict } from './joins.ts'

const fates: Record<string, Fate> = { s: 'succeeded', f: 'failed', k: 'skipped' }

/** `sfk`: what arrived, in order: a success, a failure, a skip. */
function arrivals(letters: string): ClaimedArrival[] {
  return [...letters].map((letter, index) => ({ edge: `e${index}`, from: `n${index}`, fate: fates[letter] as Fate }))
}

describe('joinVerdict', () => {
  const table: readonly (readonly [rule: JoinRule, arrived: string, verdict: JoinVerdict])[] = [
    ['all', '', 'run'],
    ['all', 's', 'run'],
    ['all', 'ss', 'run'],
    ['all', 'sk', 'run'],
    ['all', 'ks', 'run'],
    ['all', 'kk', 'skip'],
    ['all', 'f', 'fail'],
    ['all', 'sf', 'fail'],
    ['all', 'fk', 'fail'],
    ['any', 's', 'run'],
    ['any', 'ks', 'run'],
    ['any', 'ss', 'run'],
    ['any', 'kk', 'skip'],
    ['any', 'f', 'fail'],
    // The cancellation of seed 001: called off even though a success came first, since it does not run yet.
    ['any', 'sf', 'fail'],
    ['any', 'fs', 'fail'],
    ['any-ignore', 's', 'run'],
    ['any-ignore', 'fs', 'run'],
    ['any-ignore', 'sf', 'run'],
    ['any-ignore', 'ff', 'fail'],
    // A skip counts as absent.
    ['any-ignore', 'fk', 'fail'],
    ['any-ignore', 'kk', 'skip'],
  ]

  it.each(table)('%s, with %j: %s', (rule, arrived, verdict) => {
    expect(joinVerdict(rule, arrivals(arrived))).toBe(verdict)
  })
})

describe('inputArrivals', () => {
  const edges = (rule: JoinRule, arrived: string) => inputArrivals(rule, arrivals(arrived)).map(({ edge }) => edge)

  it('gives a join of all every success, in the order in which they came', () => {
    expect(edges('all', 'sks')).toEqual(['e0', 'e2'])
  })

  it('gives an `any` join the first success and no other', () => {
    expect(edges('any', 'kss')).toEqual(['e1'])
    expect(edges('any-ignore', 'fss')).toEqual(['e1'])
    expect(edges('any-ignore', 'ff')).toEqual([])
  })
})
