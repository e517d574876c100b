import { JsonSerializer } from '../context/json-serializer.ts'
import { defaults } from '../model/blueprint.ts'
import type { IClock, NewId } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import { Deadlines } from './deadlines.ts'
import type { Environment } from './environment.ts'
import { JournalLimit } from './journal-limit.ts'
import { checkMiddleware } from './middleware.ts'
import type { Patience } from './patience.ts'
import type { Publisher } from './publisher.ts'
import type { WorkerOptions } from './worker-options.ts'

interface Surroundings extends Pick<Environment, 'deliver'> {
  readonly workerId: string
  readonly clock: IClock
  readonly logger: ILogger
  readonly newId: NewId
  readonly patience: Patience
  readonly publisher: Publisher | undefined
}

/** What attempts need of a worker: its store, asked with patience, and an end to the growth of a journal. */
export function workerEnvironment(
  options: WorkerOptions,
  { workerId, clock, logger, newId, patience, publisher, deliver }: Surroundings,
): Environment {
  const { store, registry, journalMaxEvents: maxEvents = defaults.journalMaxEvents } = options
  const journalLimit = new JournalLimit({ store, logger, workerId, maxEvents })
  return {
    serializer: options.serializer ?? new JsonSerializer(),
    clock,
    random: options.random ?? Math.random,
    newId,
    logger,
    workerId,
    deadlines: new Deadlines(clock),
    abandonAfterMs: options.abandonAfterMs ?? defaults.abandonAfterMs,
    middleware: checkMiddleware(options.middleware),
    contextOf: (runId) => {
      const source = store.context(runId)
      const work = { runId, instanceId: '' }
      return {
        read: (keys) => patience.ask(work, () => source.read(keys)),
        readAll: () => patience.ask(work, () => source.readAll()),
      }
    },
    toStart: (flow, version) => registry.toStart(flow, version),
    isTaken: async (runId) => {
      const found = await patience.ask({ runId, instanceId: '' }, () => store.summary(runId))
      return found !== undefined
    },
    deliver,
    commit: (transition, attempt) => {
      const { runId, instanceId } = transition
      return patience
        .ask({ runId, instanceId, attempt }, () => store.commit(transition))
        .then((result) => {
          if (!('run' in result)) return result
          if (result.run.publishJournal === true) publisher?.soon(runId)
          const heeded = journalLimit.heed(runId, result.run)
          return heeded === undefined ? result : heeded.then(() => result)
        })
    },
    isJournalFull: (run) => journalLimit.isReached(run),
  }
}
