/** From a run to the one that goes on for it, where it ended with `continueAsNew`. */

import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { RunId } from '../model/ids.ts'
import type { RunSummary } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { JournalOptions } from '../ports/run-store.ts'
import type { RunPorts } from './run-ports.ts'

type Ports = Pick<RunPorts, 'store' | 'bring'>

/** The newest of the runs that go on for each other; undefined where there is no such run. */
export async function newestSummary(ports: Ports, runId: RunId): Promise<RunSummary | undefined> {
  let summary = await ports.store.summary(runId)
  while (summary?.continuedBy !== undefined) summary = await successorOf(ports, summary)
  return summary
}

/** The newest that a run knows to go on for it. Made here if nobody has made it yet. Throws `UNKNOWN_RUN`. */
export async function successorOf(ports: Ports, summary: RunSummary): Promise<RunSummary> {
  const { runId, continuedBy, newestRunId = continuedBy } = summary
  const next = newestRunId === undefined ? undefined : await findOrMake(ports, runId, newestRunId)
  if (next !== undefined && lastingIdOf(next) === lastingIdOf(summary)) return next
  const message = `run ${runId} ended, and ${continuedBy}, which goes on for it, is not there`
  throw new BatonError('UNKNOWN_RUN', { field: 'runId', message, runId })
}

/** The journals of a run and of those that go on for it, one after the other. */
export async function* followJournals(
  ports: Ports,
  runId: RunId,
  { from = 1, ...options }: JournalOptions,
): AsyncGenerator<RunEvent> {
  let first = from
  for (let current: RunId | undefined = runId; current !== undefined; first = 1) {
    let isOver = false
    let next: RunId | undefined
    for await (const event of ports.store.journal(current, { ...options, from: first })) {
      yield event
      isOver = event.type === 'run-completed' || event.type === 'run-failed' || event.type === 'run-cancelled'
      if (event.type === 'run-completed') next = event.next?.runId
    }
    if (options.signal?.aborted === true) return
    // Whoever asks from behind the end has not seen it.
    if (!isOver) next = (await ports.store.summary(current))?.continuedBy
    current = next === undefined ? undefined : await firstThere(ports, { runId, current, next })
  }
}

/** The next one or, where that was removed with its journal, the newest. */
async function firstThere(
  ports: Ports,
  { runId, current, next }: { readonly runId: RunId; readonly current: RunId; readonly next: RunId },
): Promise<RunId | undefined> {
  if ((await findOrMake(ports, current, next)) !== undefined) return next
  const newest = (await ports.store.summary(runId))?.newestRunId
  return newest === current ? undefined : newest
}

async function findOrMake({ store, bring }: Ports, from: RunId, to: RunId): Promise<RunSummary | undefined> {
  const found = await store.summary(to)
  if (found !== undefined) return found
  await bring(from, to)
  return store.summary(to)
}
