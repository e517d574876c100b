import { ReadOnlyContext } from '../context/read-only-context.ts'
import { outputOrThrow, type RunResult, resultOf } from '../engine/result.ts'
import { checkNumber, checkOptions, checkText } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { foldJournal } from '../model/fold.ts'
import { parseSignalName, type RunId } from '../model/ids.ts'
import { LIMITER_PREFIX } from '../model/limiter.ts'
import type { RunRecord, RunStatus, RunSummary } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import type { IAsyncContext } from '../ports/async-context.ts'
import type { NoticeResult } from '../ports/notice.ts'
import { type DecisionOptions, decide } from './decide.ts'
import { followJournals, newestSummary } from './follow.ts'
import { type RedriveOptions, redrive } from './redrive.ts'
import { runEnded, summaryOf, unknownRun } from './run-or-throw.ts'
import type { RunPorts } from './run-ports.ts'
import { tellRun } from './tell-run.ts'
import { type WaitForResultOptions, waitForEnd } from './wait-for-end.ts'

export interface StreamOptions {
  /** First sequence number; 1 replays the journal from its beginning. */
  readonly from?: number
  /** Go on until the run has ended. Default true. */
  readonly live?: boolean
  readonly signal?: AbortSignal
  /** Go on with the journals of the runs that go on for this one, each from its first event. Default true. */
  readonly follow?: boolean
}

export interface PauseOptions {
  readonly reason: string
  readonly by?: string
}

export interface UnpauseOptions {
  readonly by?: string
}

/**
 * A client's grip on a run. It holds no connection of its own, and any process can make one from the run's id.
 *
 * Where the run has gone on as a new one, `status`, `result`, `outcome`, `stream` and all that tells the run something
 * follow to the newest; `summary`, `record`, `snapshot` and `context` are of this run alone: `latest` gives the handle of the newest.
 */
export class RunHandle<Output = unknown> {
  readonly runId: RunId
  readonly #ports: RunPorts

  constructor(runId: RunId, ports: RunPorts) {
    this.runId = runId
    this.#ports = ports
  }

  /** The run in few words, values encoded. */
  async summary(): Promise<RunSummary> {
    return summaryOf(this.#ports, this.runId)
  }

  async status(): Promise<RunStatus> {
    return (await this.#newest()).status
  }

  /** The handle of the run that goes on for this one: this one itself, as long as it has not ended with `continueAsNew`. */
  async latest(): Promise<RunHandle<Output>> {
    const { runId } = await this.#newest()
    return runId === this.runId ? this : new RunHandle<Output>(runId, this.#ports)
  }

  /** The run whole: instances, context, output; values encoded. */
  async record(): Promise<RunRecord> {
    const record = await this.#ports.store.load(this.runId)
    if (record === undefined) throw unknownRun(this.runId)
    return record
  }

  /** The run as it was at one of its checkpoints: the fold of its journal up to there. */
  async snapshot(checkpointId: string): Promise<RunRecord> {
    const seq = /^c([1-9]\d*)$/.exec(checkpointId)?.[1]
    const events: RunEvent[] = []
    for await (const event of this.stream({ live: false, follow: false })) {
      if (event.seq <= Number(seq)) events.push(event)
    }
    const state = foldJournal(events)
    if (state !== undefined && events.length === Number(seq)) return recordOf(state)
    const hint = 'Ids of checkpoints are in `checkpoints` of the run.'
    throw new BatonError('INVALID_ID', { field: 'checkpointId', message: `no checkpoint ${checkpointId}`, hint })
  }

  /** The run's shared state, read-only. */
  get context(): IAsyncContext {
    return new ReadOnlyContext({ source: this.#ports.store.context(this.runId), serializer: this.#ports.serializer })
  }

  /**
   * The run's output, as soon as it has one. Throws `RUN_FAILED` or `RUN_CANCELLED`, the cause with it, and
   * `WAIT_TIMEOUT` when the time given is up first.
   */
  async result(options: WaitForResultOptions = {}): Promise<Output> {
    return outputOrThrow(await this.outcome(options))
  }

  /** How the run ended, as a value. */
  async outcome(options: WaitForResultOptions = {}): Promise<RunResult<Output>> {
    const end = await waitForEnd(this.runId, options, this.#ports)
    return resultOf<Output>(end, this.#ports.serializer) as RunResult<Output>
  }

  /**
   * The journal from any position, and then live until the run has ended: no gap, no duplicate. Throws `JOURNAL_REWOUND`
   * where the server of the store has lost events that were given out.
   */
  stream(options: StreamOptions = {}): AsyncIterable<RunEvent> {
    checkOptions(options, ['from', 'live', 'signal', 'follow'])
    const { from = 1, live = true, signal, follow = true } = options
    checkNumber(from, 'from', { least: 1, whole: true })
    const wanted = { from, live, ...(signal === undefined ? {} : { signal }) }
    return follow ? followJournals(this.#ports, this.runId, wanted) : this.#ports.store.journal(this.runId, wanted)
  }

  /** Sends news to a node that waits for it, or will. The same `signalId` twice is one signal. */
  async signal(name: string, payload?: unknown, options: { readonly signalId?: string } = {}): Promise<void> {
    checkOptions(options, ['signalId'])
    checkText(options.signalId, 'signalId')
    const { serializer } = this.#ports
    const result = await tellRun(this.#ports, {
      type: 'signal',
      runId: this.runId,
      name: parseSignalName(name),
      ...(payload === undefined ? {} : { payload: serializer.encode(payload, 'payload') }),
      ...(options.signalId === undefined ? {} : { signalId: options.signalId }),
    })
    if (result.status === 'ended') throw runEnded(this.runId, result.run.status)
  }

  /** Says yes to a pending approval. The first decision wins; a later, different one throws `APPROVAL_CONFLICT`. */
  approve(options: DecisionOptions = {}): Promise<void> {
    return decide(this.runId, true, options, this.#ports)
  }

  /** Says no to a pending approval. */
  deny(options: DecisionOptions = {}): Promise<void> {
    return decide(this.runId, false, options, this.#ports)
  }

  /**
   * Asks the run to stop. Nothing new starts, and running nodes get their signal.
   * @returns false when the run had ended, or failed, before: cancel either wins or loses
   */
  async cancel(reason = 'cancelled by request'): Promise<boolean> {
    checkText(reason, 'reason')
    const result = await tellRun(this.#ports, { type: 'cancel', runId: this.runId, reason })
    if (result.status !== 'accepted' && result.status !== 'unchanged') return false
    return result.run.status === 'cancelling' || result.run.status === 'cancelled'
  }

  /**
   * Holds the run: nothing of it is claimed until `unpause`. What runs goes on, and may record what happened; signals,
   * decisions and the ends of children are taken; the deadline runs on. Runs that it has started go on as well. The first
   * pause stands.
   * @returns false when the run has ended, or is about to: there is nothing to hold any more. Also of what keeps a limit,
   * which nobody can hold
   */
  async pause(options: PauseOptions): Promise<boolean> {
    checkOptions(options, ['reason', 'by'] satisfies (keyof PauseOptions)[])
    const { reason, by } = options
    if (typeof reason !== 'string' || reason === '') {
      const hint = 'Say why: whoever finds the run paused will want to know.'
      throw new BatonError('INVALID_OPTION', { field: 'reason', message: 'must be a text', hint })
    }
    checkText(by, 'by')
    const result = await tellRun(this.#ports, {
      type: 'pause',
      runId: this.runId,
      reason,
      ...(by === undefined ? {} : { by }),
    })
    return isLive(result) && !this.runId.startsWith(LIMITER_PREFIX)
  }

  /**
   * Lets a paused run go on. What has become due in the meantime runs at once.
   * @returns false when the run has ended, or is about to; also of what keeps a limit
   */
  async unpause(options: UnpauseOptions = {}): Promise<boolean> {
    checkOptions(options, ['by'] satisfies (keyof UnpauseOptions)[])
    const { by } = options
    checkText(by, 'by')
    const result = await tellRun(this.#ports, {
      type: 'unpause',
      runId: this.runId,
      ...(by === undefined ? {} : { by }),
    })
    return isLive(result) && !this.runId.startsWith(LIMITER_PREFIX)
  }

  /**
   * Does failed work over, with fresh attempts. In a live run its dead letters are opened again, as long as nothing
   * behind them has started. Of a run that has ended, a new run is made, once, that begins before the first failure
   * (`lineage.kind` is `redrive`); what had settled by then is not done again. Throws `NOT_REDRIVABLE`.
   * @returns the run in which the work is done: this one, or the new one
   */
  async redrive(options: RedriveOptions = {}): Promise<RunHandle<Output>> {
    const runId = await redrive(this.runId, options, this.#ports)
    return runId === this.runId ? this : new RunHandle<Output>(runId, this.#ports)
  }

  async #newest(): Promise<RunSummary> {
    const summary = await newestSummary(this.#ports, this.runId)
    if (summary === undefined) throw unknownRun(this.runId)
    return summary
  }
}

/** Whether the run is neither over nor about to be. */
function isLive(result: NoticeResult): boolean {
  return result.status === 'accepted' || (result.status === 'unchanged' && !result.run.stopping)
}
