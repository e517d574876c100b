/** Bugs of `decide`, of attempts and of chains: they show in what a worker commits. */
import type { Mutant } from './mutant.ts'
import { arrivals, claims, commits, outcomes } from './planting.ts'

export const inDecide: readonly Mutant[] = [
  {
    name: 'a skipped edge arrives nowhere',
    where: 'decide',
    seed: 2,
    store: arrivals((all) => all.filter(({ fate }) => fate !== 'skipped')),
  },
  {
    name: 'a failure arrives nowhere',
    where: 'decide',
    seed: 6,
    store: arrivals((all) => all.filter(({ fate, rule }) => fate !== 'failed' || rule === 'map')),
  },
  {
    name: 'every edge is taken, whatever its condition says',
    where: 'decide',
    seed: 1,
    store: outcomes('succeeded', (outcome) => ({
      ...outcome,
      arrivals: outcome.arrivals.map((arrival) => ({ ...arrival, fate: 'succeeded' as const })),
      settlements: [],
    })),
  },
  {
    name: 'what lies behind a skip is settled before its join is complete',
    where: 'cascade',
    seed: 2,
    store: commits((transition) => {
      const { outcome } = transition
      if (outcome.type !== 'succeeded') return transition
      const skipped = outcome.arrivals.filter(({ fate, of }) => fate === 'skipped' && of > 1)
      const early = skipped.map(({ to }) => ({
        instanceId: to,
        fate: { type: 'skipped' as const, reason: 'not-taken' as const },
        arrivals: [],
      }))
      return early.length === 0
        ? transition
        : { ...transition, outcome: { ...outcome, settlements: [...(outcome.settlements ?? []), ...early] } }
    }),
  },
  {
    name: 'attempts never run out',
    where: 'decide',
    seed: 1,
    store: outcomes('failed', ({ error }) => ({ type: 'retried', error, delayMs: 1 })),
  },
  {
    name: 'a hand-back costs an attempt',
    where: 'attempt',
    seed: 2,
    store: outcomes('released', () => ({
      type: 'retried',
      error: { name: 'Error', message: 'handed back' },
      delayMs: 0,
    })),
  },
  {
    name: 'every failure is taken by somebody',
    where: 'decide',
    seed: 2,
    store: outcomes('failed', (outcome) => ({ ...outcome, takenBy: { always: true, ifStarted: [] } })),
  },
  {
    name: 'a fallback is never called',
    where: 'decide',
    seed: 2,
    store: arrivals((all) => all.filter(({ edge }) => !edge.endsWith('!'))),
  },
  {
    name: 'a map forgets its last item',
    where: 'attempt',
    seed: 2,
    store: outcomes('expanded', (outcome) => ({ ...outcome, items: outcome.items.slice(0, -1) })),
  },
  {
    name: 'a map gathers in the order of completion',
    where: 'decide',
    seed: 22,
    store: claims((claim) => {
      if (claim.map === undefined) return claim
      let place = 0
      const inOrder = claim.arrivals.map((arrival) =>
        arrival.edge.startsWith('[') ? { ...arrival, from: `${claim.instanceId}[${place++}]` } : arrival,
      )
      return { ...claim, arrivals: inOrder }
    }),
  },
  {
    name: 'what a node wrote counts twice',
    where: 'attempt',
    seed: 2,
    store: outcomes('succeeded', (outcome) =>
      outcome.deltas === undefined ? outcome : { ...outcome, deltas: [...outcome.deltas, ...outcome.deltas] },
    ),
  },
  {
    name: 'recorded steps are not fed back',
    where: 'durable calls',
    seed: 100,
    store: claims((claim) => ({ ...claim, steps: [] })),
  },
  {
    name: 'lost leases are not looked at',
    where: 'decide',
    seed: 52,
    store: claims((claim) => ({ ...claim, lostLeases: 0 })),
  },
  {
    name: 'a failed join runs',
    where: 'decide',
    seed: 6,
    store: claims((claim) => ({
      ...claim,
      arrivals: claim.arrivals.filter(({ fate, edge }) => fate !== 'failed' || /[![]/.test(edge)),
    })),
  },
]
