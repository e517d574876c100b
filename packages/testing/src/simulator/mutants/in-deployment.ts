/** Bugs around a fleet: versions, retention, and jobs that others send. */
import { isTerminal } from '@baton/core'
import type { Mutant } from './mutant.ts'
import { claims } from './planting.ts'

export const inDeployment: readonly Mutant[] = [
  {
    name: 'a worker takes one version of a flow for the other',
    where: 'registry',
    seed: 1,
    store: claims((claim) => {
      const { version } = claim.head
      return version === undefined ? claim : { ...claim, head: { ...claim.head, version: otherOf(version) } }
    }),
    delivery: ({ job, ...rest }) => {
      return { ...rest, job: job.version === undefined ? job : { ...job, version: otherOf(job.version) } }
    },
  },
  {
    name: 'nobody looks at what waits for a version',
    where: 'waiting work',
    seed: 1,
    store: (store) => ({ ...store, due: (query) => (query.enlisted === true ? [] : store.due(query)) }),
  },
  {
    name: 'a run is removed with something left to say',
    where: 'machine, isDone',
    seed: 15,
    machine: (machine) => {
      Object.defineProperty(machine, 'isDone', { get: () => isTerminal(machine.state.status) })
    },
  },
  {
    name: 'a foreign job begins the node that it names, and no other',
    where: 'foreign jobs',
    seed: 22,
    store: (store, actor) => ({
      ...store,
      create: (run) => {
        const isForeign = actor.kind === 'worker' && run.lineage === undefined
        return store.create(isForeign ? { ...run, starts: run.starts.slice(0, 1) } : run)
      },
    }),
  },
  {
    name: 'a run that was removed counts as one that still is',
    where: 'store, create',
    seed: 448,
    store: (store, actor) => ({
      ...store,
      async create(run) {
        const result = await store.create(run)
        if (result.status !== 'purged' || actor.kind !== 'worker') return result
        return store.create({ ...run, runId: `${run.runId}-again` as typeof run.runId })
      },
    }),
  },
]

function otherOf(version: string): string {
  return version === 'old' ? 'new' : 'old'
}
