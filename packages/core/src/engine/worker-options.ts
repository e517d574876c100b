/** What a worker can be told, and what it refuses. */
import { checkChoice, checkFunction, checkNumber, checkOptions } from '../model/check-options.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { assertJournalSink } from '../ports/assert-ports.ts'
import { checkInjected } from '../ports/check-injected.ts'
import type { IClock, NewId, Random } from '../ports/clock.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { Acknowledge, IJobQueue } from '../ports/job-queue.ts'
import type { IJournalSink } from '../ports/journal-sink.ts'
import type { ILogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'
import { checkMiddleware, type NodeMiddleware } from './middleware.ts'
import type { Registry } from './registry.ts'

/** How a worker works. */
export interface WorkerSettings {
  readonly workerId?: string
  /** Instances that run at the same time. Default 16. */
  readonly concurrency?: number
  readonly leaseMs?: number
  readonly sweepMs?: number
  /** While other work waits, a worker goes on with one run for at most this many nodes … */
  readonly inlineMaxNodes?: number
  /** … and this long. */
  readonly inlineMaxMs?: number
  /**
   * Where what a commit made ready goes first: to free places of this worker, so that only what it would not come to soon
   * goes to the queue; or to the queue at once, for nodes that keep a process busy and are better spread. Default
   * `own-places`.
   */
  readonly fanOut?: 'own-places' | 'queue'
  /** A run whose journal is longer is paused. What is to run for ever calls `continueAsNew`. */
  readonly journalMaxEvents?: number
  /** What runs when `stop` is called gets this long to end by itself. */
  readonly stopWithinMs?: number
  /** Code that ignores its signal holds its slot for this long after the attempt has ended. */
  readonly abandonAfterMs?: number
  /**
   * When a delivery is answered: as soon as the claim is won, or with the first commit it led to. With `claimFromMs`, the first for
   * nodes whose attempts may take so long or longer: for queues that cannot keep a delivery for long. Default: as suits the queue.
   */
  readonly acknowledge?: Acknowledge
  /** Ended runs are removed after this long. `Infinity` keeps them. */
  readonly retentionMs?: number
  /** Called once for a run that ended with a commit of this worker. */
  readonly onRunEnd?: (runId: RunId) => void | Promise<void>
  /**
   * Where the journals of runs are published that were started so: by a `BatonClient` with `publishJournals`, by a `FlowRuntime` with a sink and
   * a store, or by a job from outside that a worker with a sink has taken. Adapters close it.
   */
  readonly journalSink?: IJournalSink
  /** What runs around the code of every node here, the first outermost. */
  readonly middleware?: readonly NodeMiddleware[]
  readonly serializer?: ISerializer
  readonly logger?: ILogger
  readonly clock?: IClock
  readonly random?: Random
  readonly newId?: NewId
}

/** … and on what. */
export interface WorkerOptions extends WorkerSettings {
  readonly store: IRunStore
  readonly queue: IJobQueue
  readonly registry: Registry
  /** Shares the role of the sweeper among workers; without one every worker sweeps. */
  readonly coordinationStore?: ICoordinationStore
}

/**
 * @param field what the settings are called where the person wrote them
 * @param others names that may stand there too, and are somebody else's to check
 */
export function checkWorkerSettings(settings: WorkerSettings, field = 'options', others: readonly string[] = []): void {
  checkOptions(settings, [...workerSettings, ...others], field)
  const at = (name: keyof WorkerSettings) => (field === 'options' ? name : `${field}.${name}`)
  if (settings.workerId !== undefined) parseRunId(settings.workerId, at('workerId'))
  for (const name of ['concurrency', 'inlineMaxNodes', 'journalMaxEvents'] as const) {
    checkNumber(settings[name], at(name), { least: 1, whole: true })
  }
  for (const name of ['leaseMs', 'sweepMs'] as const) checkNumber(settings[name], at(name), { least: 1 })
  for (const name of ['inlineMaxMs', 'stopWithinMs', 'abandonAfterMs', 'retentionMs'] as const) {
    checkNumber(settings[name], at(name), { least: 0 })
  }
  checkChoice(settings.fanOut, at('fanOut'), ['own-places', 'queue'])
  checkAcknowledge(settings.acknowledge, at('acknowledge'))
  checkFunction(settings.onRunEnd, at('onRunEnd'))
  if (settings.journalSink !== undefined) assertJournalSink(settings.journalSink, at('journalSink'))
  checkMiddleware(settings.middleware, at('middleware'))
  checkInjected(settings, at)
}

function checkAcknowledge(acknowledge: unknown, field: string): void {
  if (typeof acknowledge !== 'object' || acknowledge === null)
    return checkChoice(acknowledge, field, ['claim', 'commit'])
  checkOptions(acknowledge, ['claimFromMs'], field)
  const { claimFromMs } = acknowledge as { readonly claimFromMs?: unknown }
  checkNumber(claimFromMs, `${field}.claimFromMs`, { least: 0, required: true })
}

const workerSettings = [
  'workerId',
  'concurrency',
  'leaseMs',
  'sweepMs',
  'inlineMaxNodes',
  'inlineMaxMs',
  'fanOut',
  'journalMaxEvents',
  'stopWithinMs',
  'abandonAfterMs',
  'acknowledge',
  'retentionMs',
  'onRunEnd',
  'journalSink',
  'middleware',
  'serializer',
  'logger',
  'clock',
  'random',
  'newId',
] as const satisfies readonly (keyof WorkerSettings)[]
