import { BatonError } from '../model/errors.ts'
import { type InstanceId, isNodeId, nodeOfInstance, parseFlowId, parseRunId, type RunId } from '../model/ids.ts'
import type { Awaitable } from './awaitable.ts'

/** The least that a job must say; what a plain producer outside Baton sends. */
export interface JobPayload {
  readonly runId: string
  readonly blueprintId: string
  readonly nodeId: string
}

/** The small message that wakes a worker for an instance. Losing or doubling one is harmless (P7). */
export interface Job extends JobPayload {
  readonly runId: RunId
  readonly instanceId: InstanceId
  readonly version?: string
  /** Higher goes first, as far as the queue can: a preference, not an order. */
  readonly priority?: number
  /** Never the same twice for one instance, so that no queue's deduplication can swallow a re-send. */
  readonly dispatch: number
  /** The job did not come from Baton: its run may not exist yet. */
  readonly foreign?: boolean
}

/**
 * When a delivery is answered: as soon as the claim is won, or with the first commit it led to; or the first of a node that may
 * take so long or longer, and the second of others.
 */
export type Acknowledge = 'claim' | 'commit' | { readonly claimFromMs: number }

/**
 * Carries jobs from those who make work ready to those who have time. At least once is enough, in any order: a run's
 * truth and every right to work on it are in the run store.
 */
export interface IJobQueue {
  /** How its deliveries are best answered, for workers that are not told otherwise. Default `commit`. */
  readonly acknowledge?: Acknowledge | undefined

  /** After it returned, the jobs will be delivered unless the queue itself loses them. */
  enqueue(jobs: readonly Job[]): Awaitable<void>

  /**
   * Delivers jobs to the handler, at most `concurrency` at a time, until the signal fires; resolves when no handler
   * runs any more. A delivery that its handler neither acknowledged nor handed back, because it threw or its process
   * died, is delivered again after a while. A message that is no job goes to the dead letters, not to the handler.
   * An outage of the queue is retried with a growing pause, never thrown.
   */
  consume(handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<void>

  close(): Awaitable<void>
}

export interface ConsumeOptions {
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** One receipt of a job. Each method may fail without harm: the job is then delivered once more. */
export interface Delivery {
  readonly job: Job
  /** How often it was delivered before, as far as the queue knows. */
  readonly redelivered: number
  acknowledge(): Awaitable<void>
  /** Gives it back, to be delivered again after the delay, to anyone. */
  handBack(options: { readonly delayMs: number }): Awaitable<void>
  /** Keeps it from others for longer while it is worked on. */
  extend(options: { readonly byMs: number }): Awaitable<void>
  /** Takes it out for good, kept where a person can look at it. */
  deadLetter(reason: string): Awaitable<void>
}

/** Turns what came out of a queue into a job, or throws `INVALID_JOB` with the field. Unknown members are ignored. */
export function parseJob(data: unknown): Job {
  if (typeof data !== 'object' || data === null) throw new BatonError('INVALID_JOB', { field: 'job' })
  const raw = data as { readonly [field in keyof Job]?: unknown }
  try {
    const runId = parseRunId(raw.runId)
    const blueprintId = parseFlowId(raw.blueprintId, 'blueprintId')
    const foreign = raw.dispatch === undefined
    const instanceId = foreign ? raw.nodeId : raw.instanceId
    if (typeof instanceId !== 'string' || !isNodeId(nodeOfInstance(instanceId))) {
      throw new BatonError('INVALID_JOB', { field: foreign ? 'nodeId' : 'instanceId' })
    }
    const version = raw.version
    const priority = raw.priority
    return {
      runId,
      blueprintId,
      instanceId,
      nodeId: nodeOfInstance(instanceId),
      dispatch: typeof raw.dispatch === 'number' ? raw.dispatch : 0,
      ...(typeof version === 'string' ? { version } : {}),
      ...(typeof priority === 'number' ? { priority } : {}),
      ...(foreign ? { foreign } : {}),
    }
  } catch (error) {
    if (BatonError.is(error, 'INVALID_JOB')) throw error
    const field = BatonError.is(error) ? error.field : undefined
    throw new BatonError('INVALID_JOB', { ...(field === undefined ? {} : { field }), cause: error })
  }
}
