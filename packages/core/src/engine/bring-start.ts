/** Makes the run that another one asks for: a child, a run of its own, or the one that goes on for it. */
import { codedError, type RecordedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { isTerminal, type NewRun } from '../model/run.ts'
import { lastingIdOf, type Succession } from '../model/succession.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { bringLimiter } from './bring-limiter.ts'
import type { Round } from './courier-round.ts'
import { firstWords, firstWork } from './first-words.ts'
import { endOf, tellEnd } from './tell-end.ts'

/**
 * Made before, or never to be made, it has served as well: whoever waits for the run is told.
 *
 * @returns whether the message has served
 */
export async function bringStart(round: Round, from: RunId, run: NewRun): Promise<boolean> {
  if (run.kind === 'limiter') return bringLimiter(round, from, run)
  await makeRun(round, from, run)
  return true
}

async function makeRun(round: Round, from: RunId, run: NewRun): Promise<void> {
  const { store, clock, logger } = round.options
  const created = await store.create(run)
  const { succession } = run.lineage ?? {}
  if (succession !== undefined) {
    if (created.status === 'created' || (created.status === 'exists' && created.same)) {
      await tellFirst(store, succession, run.runId)
    } else if (created.status === 'purged') {
      // It went on for this one, and is long over; who goes on for it now is no news of ours.
      return
    } else {
      logger.log('error', 'a run could not go on as new', { runId: from, by: run.runId, status: created.status })
    }
  }
  // Whoever waits for a run that could not be made waits for the first of those that went on for each other.
  const parent = succession === undefined ? from : run.lineage?.parentRunId
  switch (created.status) {
    case 'created':
      if (run.publishJournal === true) round.options.onUnpublished?.(run.runId)
      await round.sendJobs(run, firstWork(run, clock.now()))
      return round.add({ from: run.runId, messages: firstWords(run, clock.now()) })
    case 'exists':
      if (!created.same) await refuse(round, parent, run, codedError('RUN_EXISTS', `run ${run.runId}`))
      else if (parent !== undefined) await tellEndAgain(round, parent, run)
      return
    case 'purged':
      // It was this child, and its parent knows how it ended; or the id was another run's, and the child cannot be.
      return refuse(round, parent, run, codedError('RUN_EXISTS', `run ${run.runId} has ended and was removed`))
    case 'too-large': {
      const error = codedError('TOO_LARGE', `the store takes ${created.limitBytes} bytes at most`)
      return refuse(round, parent, run, error)
    }
  }
}

/** The id that people know has to lead to the newest run, also when those in between are gone. */
async function tellFirst(store: IRunStore, { firstRunId, previousRunId, link }: Succession, by: RunId): Promise<void> {
  // The second is known to the first by the first's own journal.
  if (firstRunId === previousRunId) return
  await store.notify({ type: 'continued', runId: firstRunId, by, link })
}

/**
 * A run that goes on as new may ask for a child that an earlier one of its row has had, and whose end was told to that
 * one: the child itself has nothing more to say.
 */
async function tellEndAgain(round: Round, parent: RunId, { runId }: NewRun): Promise<void> {
  const { store } = round.options
  const first = await store.summary(runId)
  const newest = first?.newestRunId ?? first?.continuedBy
  const child = newest === undefined ? first : await store.summary(newest)
  if (child === undefined || !isTerminal(child.status) || child.continuedBy !== undefined) return
  if (lastingIdOf(child) === runId) await tellEnd(round, parent, child, endOf(child))
}

/** The run could not be made: for its parent that is a child that failed. */
async function refuse(round: Round, parent: RunId | undefined, run: NewRun, error: RecordedError): Promise<void> {
  const { runId } = run
  round.options.logger.log('warn', 'a run could not be started for another', { runId, parent, error })
  if (parent !== undefined) await tellEnd(round, parent, run, { status: 'failed', error })
}
