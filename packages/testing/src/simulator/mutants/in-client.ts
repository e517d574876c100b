/** Bugs of clients, and of what a store answers to them. */
import type { IRunStore } from '@baton/core'
import type { Notice } from '@baton/core/adapter'
import type { Actor } from '../world/actor.ts'
import type { Mutant } from './mutant.ts'

export const inClient: readonly Mutant[] = [
  {
    name: 'a start returns before the run is there',
    where: 'client, start',
    seed: 1,
    store: ofPeople((store, actor) => {
      let starts = 0
      return {
        ...store,
        create: (run) => {
          // Every other one, for good, so that the rest of the world goes on.
          if (actor.kind !== 'client' || starts++ % 2 === 0) return store.create(run)
          return { status: 'created' }
        },
      }
    }),
  },
  {
    name: 'a start with another input is taken for the same',
    where: 'machine, create',
    seed: 11,
    store: ofPeople((store) => ({
      ...store,
      async create(run) {
        const result = await store.create(run)
        return result.status === 'exists' ? { ...result, same: true } : result
      },
    })),
  },
  {
    name: 'a cancel is said to have won and is not written',
    where: 'client, cancel',
    seed: 3,
    store: ofPeople((store) => ({
      ...store,
      notify: (notice) =>
        notice.type === 'cancel'
          ? { status: 'accepted', ready: [], run: { status: 'cancelling', stopping: true, seq: 0 } }
          : store.notify(notice),
    })),
  },
  {
    name: 'whoever decides second is told to have decided',
    where: 'client, approve',
    seed: 180,
    store: ofPeople((store) => ({
      ...store,
      async notify(notice: Notice) {
        const result = await store.notify(notice)
        return result.status === 'conflict'
          ? { status: 'unchanged', run: { status: 'running', stopping: false, seq: 0 } }
          : result
      },
    })),
  },
]

function ofPeople(spoil: (store: IRunStore, actor: Actor) => IRunStore) {
  return (store: IRunStore, actor: Actor): IRunStore => (actor.kind === 'worker' ? store : spoil(store, actor))
}
