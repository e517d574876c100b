/** Bugs of limits: of limiters, of the runs under them, and of those who bring their news. */
import type { Mutant } from './mutant.ts'
import { around, tellsNo } from './planting.ts'

export const inLimits: readonly Mutant[] = [
  {
    name: 'a slot does not come back from a run that has ended',
    where: 'machine, end',
    seed: 3,
    machine: tellsNo('slot-release:', () => true),
  },
  {
    name: 'a slot does not come back from a run that was cancelled',
    where: 'machine, end',
    seed: 14,
    machine: tellsNo('slot-release:', ({ state }) => state.status === 'cancelled'),
  },
  {
    name: 'a slot that comes when its run has ended is not given back',
    where: 'courier',
    seed: 488,
    store: (store) => ({
      ...store,
      async notify(notice) {
        const result = await store.notify(notice)
        const isLate = notice.type === 'slot-grant' && result.status === 'ended'
        return isLate ? { status: 'unchanged', run: result.run } : result
      },
    }),
  },
  {
    name: 'a slot is given twice',
    where: 'limiter',
    seed: 6,
    machine: around('notify', {
      before({ state }, { type }) {
        if (type === 'slot-request') state.limiter?.held.clear()
      },
    }),
  },
  {
    name: 'a rate forgets whom it has let in',
    where: 'limiter',
    seed: 6,
    machine: around('notify', {
      before({ state }) {
        if (state.limiter !== undefined) state.limiter.letInAtMs.length = 0
      },
    }),
  },
  {
    name: 'a limiter that moves forgets who has a slot',
    where: 'limiter, move',
    seed: 14,
    store: (store) => ({
      ...store,
      create(run) {
        if (run.kind !== 'limiter') return store.create(run)
        const input = run.input as { readonly generation: number }
        return store.create(input.generation === 1 ? run : { ...run, input: { ...input, held: [] } })
      },
    }),
  },
  {
    name: 'a run begins without asking for a slot',
    where: 'client, start',
    seed: 3,
    store: (store) => ({
      ...store,
      create: ({ gates: _, ...run }) => store.create(run),
    }),
  },
  {
    name: 'a slot opens whatever gate a run waits at',
    where: 'machine, notify',
    seed: 99,
    machine: around('notify', {
      before({ state }, notice) {
        const gate = state.head.gates?.[state.gate]
        if (notice.type === 'slot-grant' && gate !== undefined) Object.assign(notice, { limiter: gate.limiter })
      },
    }),
  },
]
