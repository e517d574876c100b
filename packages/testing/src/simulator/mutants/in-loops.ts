/** Bugs of loops: they show in what arrives at a turn, at a header, and outside. */
import type { Arrival } from '@baton/core/adapter'
import type { Mutant } from './mutant.ts'
import { arrivals, claims, outcomes } from './planting.ts'

export const inLoops: readonly Mutant[] = [
  {
    name: 'a turn counts twice',
    where: 'turn',
    seed: 1,
    store: arrivals((all) =>
      all.map((arrival) =>
        beginsVisit(arrival)
          ? { ...arrival, to: arrival.to.replace(/\d+$/, (visit) => `${Number(visit) + 1}`) }
          : arrival,
      ),
    ),
  },
  {
    name: 'a turn does not wait for the last of its visit',
    where: 'turn',
    seed: 6,
    store: arrivals((all) =>
      all.map((arrival) => (isAtTurn(arrival) && arrival.of > 1 ? { ...arrival, of: arrival.of - 1 } : arrival)),
    ),
  },
  {
    name: 'an edge that leads back is taken, whatever its condition says',
    where: 'turn',
    seed: 2,
    store: arrivals((all) =>
      all.map((arrival) =>
        isAtTurn(arrival) && !arrival.edge.endsWith('!') ? { ...arrival, fate: 'succeeded' } : arrival,
      ),
    ),
  },
  {
    name: 'an edge that leads out arrives once more in each visit',
    where: 'turn',
    seed: 2,
    store: arrivals((all) =>
      all.map((arrival) =>
        arrival.from.includes('#') && !arrival.to.includes('#') && arrival.of > 1
          ? { ...arrival, edge: `${arrival.edge} of ${arrival.from}` }
          : arrival,
      ),
    ),
  },
  {
    name: 'nobody outside hears that a loop has ended',
    where: 'turn',
    seed: 23,
    store: outcomes('skipped', (outcome) => {
      const isTurn = outcome.arrivals.some(({ from }) => from.endsWith('!'))
      return isTurn ? { ...outcome, arrivals: [] } : outcome
    }),
  },
  {
    name: 'a loop around another does not hear that it has ended',
    where: 'turn',
    seed: 23,
    store: outcomes('skipped', (outcome) => ({
      ...outcome,
      arrivals: outcome.arrivals.filter((arrival) => !(isAtTurn(arrival) && arrival.from.endsWith('!'))),
    })),
  },
  {
    name: 'visits are not bounded',
    where: 'decide',
    seed: 1,
    store: claims((claim) =>
      // The number of a visit is read from its id.
      /#\d+$/.test(claim.instanceId) && claim.arrivals.some(({ edge }) => edge.includes('~>'))
        ? {
            ...claim,
            arrivals: claim.arrivals.map((arrival) => ({ ...arrival, edge: arrival.edge.replace('~>', '->') })),
          }
        : claim,
    ),
  },
  {
    name: 'every edge that was taken back begins a visit of its own',
    where: 'turn',
    seed: 2,
    store: outcomes('succeeded', (outcome) => {
      const begun = outcome.arrivals.find(beginsVisit)
      if (begun === undefined || outcome.output !== undefined) return outcome
      const another = { ...begun, to: begun.to.replace(/\d+$/, (visit) => `${Number(visit) + 1}`) }
      return { ...outcome, arrivals: [...outcome.arrivals, another] }
    }),
  },
]

function isAtTurn({ to }: Arrival): boolean {
  return to.endsWith('!')
}

function beginsVisit({ to, edge }: Arrival): boolean {
  return edge.includes('~>') && !to.endsWith('!') && to.includes('#')
}
