/** Bugs between runs: of what a run has to tell others, and of the courier that brings it. */
import type { DueItem, RunMachine } from '@baton/core/adapter'
import type { Mutant } from './mutant.ts'
import { around, notices, tellsNo } from './planting.ts'

export const inFamily: readonly Mutant[] = [
  {
    name: 'a child does not hear that it is called off',
    where: 'family',
    seed: 14,
    machine: tellsNo('cancel:', () => true),
  },
  {
    name: 'children of a node that was called off go on',
    where: 'family',
    seed: 32,
    machine: tellsNo('cancel:', ({ state }) => !state.stopping && state.endedAtMs === undefined),
  },
  {
    name: 'a parent does not hear of an end that comes with a cancel',
    where: 'family',
    seed: 14,
    machine: tellsNo('child-ended', ({ state }) => state.status === 'cancelled'),
  },
  {
    name: 'a detached child is called off with its parent',
    where: 'family',
    seed: 2,
    machine: (machine) => {
      const spoil = {
        before({ state }: RunMachine) {
          for (const child of state.children?.values() ?? []) Object.assign(child, { detached: false })
        },
      }
      around('commit', spoil)(machine)
      around('notify', spoil)(machine)
    },
  },
  {
    name: 'the end of a child is heard of twice',
    where: 'machine, notify',
    seed: 2,
    machine: around('notify', {
      before({ state }, notice) {
        const child = notice.type === 'child-ended' ? state.children?.get(notice.childRunId) : undefined
        if (child !== undefined) child.end = undefined
      },
    }),
  },
  {
    name: 'an end that came before anybody waited is not seen',
    where: 'machine, commit',
    seed: 2,
    machine: (machine) => {
      const ends = new Map<object, unknown>()
      around('commit', {
        before({ state }, { outcome }) {
          if (outcome.type !== 'awaited' || outcome.wait.kind !== 'child') return
          for (const child of state.children?.values() ?? []) {
            ends.set(child, child.end)
            child.end = undefined
          }
        },
        after() {
          for (const [child, end] of ends) Object.assign(child, { end })
          ends.clear()
        },
      })(machine)
    },
  },
  {
    name: 'nobody looks for messages that were not delivered',
    where: 'machine, due',
    seed: 2,
    machine(machine) {
      const due = machine.due.bind(machine)
      machine.due = (...args) => due(...args).filter(({ type }) => type !== 'message')
    },
  },
  {
    name: 'a message is forgotten when its delivery fails',
    where: 'courier',
    seed: 204,
    store: (store) => ({
      ...store,
      async notify(notice) {
        try {
          return await store.notify(notice)
        } catch (error) {
          if (notice.type === 'child-ended') return { status: 'unknown-run' }
          throw error
        }
      },
    }),
  },
  {
    name: 'a call to stop does not wait for the run that its sender has asked for',
    where: 'courier',
    seed: 534,
    store: (store) => ({
      ...store,
      async due(query) {
        const items = await store.due(query)
        return query.runId === undefined ? items : items.filter((item) => !isStartOfItsOwn(item))
      },
    }),
  },
  {
    name: 'a call to stop is forgotten when its delivery fails',
    where: 'courier',
    seed: 2_283,
    store(store) {
      const failed = new Set<string>()
      return {
        ...store,
        async notify(notice) {
          if (notice.type !== 'cancel' || !notice.reason.startsWith('not wanted by')) return store.notify(notice)
          // Also when it looks once more, before it gives up.
          if (failed.delete(notice.reason)) return { status: 'unknown-run' }
          try {
            return await store.notify(notice)
          } catch {
            failed.add(notice.reason)
            return { status: 'unknown-run' }
          }
        },
      }
    },
  },
  {
    name: 'a child counts as started when nobody knows',
    where: 'courier',
    seed: 43,
    store: (store, actor) => ({
      ...store,
      async create(run) {
        try {
          return await store.create(run)
        } catch (error) {
          if (actor.kind === 'worker') return { status: 'created' }
          throw error
        }
      },
    }),
  },
  {
    name: 'a child is there before its parent has recorded it',
    where: 'attempt',
    seed: 2,
    store: (store) => ({
      ...store,
      async commit(transition) {
        const sends = 'sends' in transition.outcome ? (transition.outcome.sends ?? []) : []
        for (const send of sends) if (send.type === 'start-child') await store.create(send.run)
        return store.commit(transition)
      },
    }),
  },
  {
    name: 'a run of somebody else is taken for a child',
    where: 'courier',
    seed: 169,
    store: (store, actor) => ({
      ...store,
      async create(run) {
        const result = await store.create(run)
        return result.status === 'exists' && actor.kind === 'worker' ? { ...result, same: true } : result
      },
    }),
  },
  {
    name: 'a child that has failed is said to have completed',
    where: 'courier',
    seed: 2,
    store: notices((notice) =>
      notice.type === 'child-ended' && notice.end.status === 'failed'
        ? { ...notice, end: { status: 'completed' } }
        : notice,
    ),
  },
  {
    name: 'a signal from another run counts with each delivery',
    where: 'courier',
    seed: 1,
    store: (store, actor) =>
      notices((notice) =>
        notice.type === 'signal' && notice.runId !== 'nobody' && notice.signalId?.includes('/') === true
          ? { ...notice, signalId: `${actor.name}.${notice.signalId}` }
          : notice,
      )(store),
  },
]

/** The start of a run that is nobody's child, and goes on for none. */
function isStartOfItsOwn(item: DueItem): boolean {
  if (item.type !== 'message' || item.message.body.type !== 'start') return false
  const { parentRunId, succession } = item.message.body.run.lineage ?? {}
  return parentRunId === undefined && succession === undefined
}
