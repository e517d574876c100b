/** Bugs on the way of a journal to its sink. */
import type { RunEvent } from '@baton/core'
import type { Mutant } from './mutant.ts'

export const inPublishing: readonly Mutant[] = [
  {
    name: 'a publisher leaves out the first of what was not published',
    where: 'publisher',
    seed: 3,
    store: (store) => ({
      ...store,
      journal: (runId, options) =>
        options?.unpublished === true ? withoutFirst(store.journal(runId, options)) : store.journal(runId, options),
    }),
  },
  {
    name: 'what was recorded while others were published counts as published',
    where: 'machine, delivered',
    seed: 5,
    machine: (machine) => {
      const delivered = machine.delivered.bind(machine)
      machine.delivered = (keys) =>
        delivered(keys.map((key) => (key.startsWith('journal:') ? `journal:${machine.state.seq}` : key)))
    },
  },
  {
    name: 'nobody looks for what a dead worker has not published',
    where: 'journal sweep',
    seed: 3,
    store: (store) => ({ ...store, due: (query) => (query.journals === true ? [] : store.due(query)) }),
  },
  {
    name: 'a child of a published run is not published',
    where: 'child run',
    seed: 3,
    store: (store) => ({
      ...store,
      create: ({ publishJournal, ...run }) =>
        store.create(
          publishJournal === true && run.lineage?.parentRunId === undefined ? { ...run, publishJournal } : run,
        ),
    }),
  },
]

async function* withoutFirst(events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
  let isFirst = true
  for await (const event of events) {
    if (!isFirst) yield event
    isFirst = false
  }
}
