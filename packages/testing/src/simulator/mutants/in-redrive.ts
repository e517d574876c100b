/** Bugs of redriving: what is done over and must not be, and what is changed that must not be. */
import type { IRunStore } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import type { Mutant } from './mutant.ts'
import { around } from './planting.ts'

type Snapshot = NonNullable<NewRun['from']>

export const inRedrive: readonly Mutant[] = [
  {
    name: 'a redriven run does what was done over again',
    where: 'client, redrive',
    seed: 1,
    store: redrivenRuns((run, from) => {
      const done = from.instances.filter(({ status }) => status === 'succeeded').map(({ id }) => id)
      const instances = from.instances.map((instance) =>
        instance.status === 'succeeded' ? { ...instance, status: 'waiting' as const } : instance,
      )
      return { ...run, starts: [...run.starts, ...done], from: { ...from, instances } }
    }),
  },
  {
    name: 'a redriven run does not know what was done',
    where: 'client, redrive',
    seed: 1,
    store: redrivenRuns((run, from) => {
      const instances = from.instances.map(({ output: _, ...instance }) => instance)
      return { ...run, from: { ...from, instances } }
    }),
  },
  {
    name: 'each operator gets a redriven run of its own',
    where: 'client, redrive',
    seed: 1,
    store: (store, actor) =>
      redrivenRuns((run) => ({ ...run, runId: `${run.runId}.${actor.name}` as typeof run.runId }))(store),
  },
  {
    name: 'a run that has ended is opened again where it is',
    where: 'machine, redrive',
    seed: 1,
    store: (store) => ({
      ...store,
      async create(run) {
        const source = run.from === undefined ? undefined : run.lineage?.branchOriginRunId
        const [instanceId] = run.starts
        if (source !== undefined && instanceId !== undefined) {
          await store.notify({ type: 'signal', runId: source, name: 'news' })
        }
        return store.create(run)
      },
    }),
    machine: around('notify', {
      before({ state }, { type }) {
        const isSource = state.deadLetters !== undefined && state.deadLetters.size > 0
        if (type === 'signal' && isSource && state.endedAtMs !== undefined) state.status = 'running'
      },
    }),
  },
  {
    name: 'what a failure has decided stays when it is done over',
    where: 'machine, redrive',
    seed: 22,
    machine: around('notify', {
      before({ state }, notice) {
        if (notice.type !== 'redrive') return
        for (const instance of state.instances.values()) {
          if (instance.arrivals.length === 0) continue
          instance.arrivals = instance.arrivals.filter(({ from }) => from !== notice.instanceId)
        }
      },
    }),
  },
  {
    name: 'attempts of redriven work are not counted anew',
    where: 'machine, redrive',
    seed: 22,
    machine: (machine) => {
      let failures = new Map<string, number>()
      around('notify', {
        before({ state }, notice) {
          if (notice.type !== 'redrive') return
          const ids = notice.instanceId === undefined ? [...(state.deadLetters?.keys() ?? [])] : [notice.instanceId]
          failures = new Map(ids.map((id) => [id, state.instances.get(id)?.failures ?? 0]))
        },
        after({ state }, notice) {
          if (notice.type !== 'redrive') return
          for (const [id, count] of failures) {
            const instance = state.instances.get(id)
            if (instance !== undefined) instance.failures = count
          }
        },
      })(machine)
    },
  },
]

/** Processes whose runs that are redriven begin with something else than they should. */
function redrivenRuns(change: (run: NewRun, from: Snapshot) => NewRun) {
  return (store: IRunStore): IRunStore => ({
    ...store,
    create: (run) => store.create(run.from === undefined ? run : change(run, run.from)),
  })
}
