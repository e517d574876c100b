/** Bugs of runs that go on as new, and of news for them. */
import type { RunMachine } from '@baton/core/adapter'
import type { Mutant } from './mutant.ts'
import { around, tellsNo } from './planting.ts'

export const inRows: readonly Mutant[] = [
  {
    name: 'nobody goes on for a run that has ended so',
    where: 'machine, end',
    seed: 8,
    machine: tellsNo('continue:', () => true),
  },
  {
    name: 'whoever brings a successor makes one of its own',
    where: 'courier',
    seed: 8,
    store: (store, actor) => ({
      ...store,
      create(run) {
        if (run.lineage?.succession === undefined) return store.create(run)
        return store.create({ ...run, runId: `${run.runId}.${actor.name}` as typeof run.runId })
      },
    }),
  },
  {
    name: 'a successor starts with the input of the first',
    where: 'continue as new',
    seed: 8,
    store: (store) => ({
      ...store,
      async commit(transition) {
        const { outcome, runId } = transition
        if (outcome.type !== 'succeeded' || outcome.continueAs === undefined) return store.commit(transition)
        const { input: _, ...rest } = outcome.continueAs
        const input = (await store.summary(runId))?.input
        const continueAs = input === undefined ? rest : { ...rest, input }
        return store.commit({ ...transition, outcome: { ...outcome, continueAs } })
      },
    }),
  },
  {
    name: 'signals that nobody has used do not go along',
    where: 'machine, end',
    seed: 8,
    machine: atTheEnd(({ state }) => state.news?.signals.clear()),
  },
  {
    name: 'the ids of signals do not go along',
    where: 'machine, end',
    seed: 8,
    machine: atTheEnd(({ state }) => state.news?.signalIds.clear()),
  },
  {
    name: 'a signal that a run has taken is taken again by the next',
    where: 'machine, notify',
    seed: 73,
    machine(machine) {
      if (machine.state.head.lineage.succession !== undefined) machine.state.news?.signalIds.clear()
      around('notify', {
        before({ state }, { type }) {
          if (type === 'signal' && state.continuedBy !== undefined) state.news?.signalIds.clear()
        },
      })(machine)
    },
  },
  {
    name: 'children that still run do not go along',
    where: 'machine, end',
    seed: 33,
    machine: atTheEnd(({ state }) => {
      for (const child of state.children?.values() ?? []) Object.assign(child, { detached: true })
    }),
  },
  {
    name: 'news for a run that has gone on is said to come too late',
    where: 'machine, notify',
    seed: 15,
    store: (store) => ({
      ...store,
      async notify(notice) {
        const result = await store.notify(notice)
        return result.status === 'ended' ? { status: 'ended', run: result.run } : result
      },
    }),
  },
  {
    name: 'a parent is told of the end of each run of a row',
    where: 'machine, end',
    seed: 19,
    machine: around('commit', {
      after({ state }, _transition, atMs) {
        const to = state.head.lineage.parentRunId
        if (to === undefined || state.continuedBy === undefined) return
        const message = { key: 'child-ended', to, body: { type: 'child-ended' } } as const
        state.outbox?.set(message.key, { message, dueAtMs: atMs, remindAtMs: atMs, dispatch: 0 })
      },
    }),
  },
]

/** Machines that are spoilt right before the commit that ends a run which goes on as new. */
function atTheEnd(spoil: (machine: RunMachine) => void) {
  return around('commit', {
    before(machine, { outcome }) {
      if (outcome.type === 'succeeded' && outcome.continueAs !== undefined) spoil(machine)
    },
  })
}
