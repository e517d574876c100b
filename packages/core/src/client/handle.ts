import { ReadOnlyContext } from '../context/read-only-context.ts'
import { notifyNewest } from '../engine/notify-newest.ts'
import { outputOrThrow, type RunResult, resultOf } from '../engine/result.ts'
import { checkNumber, checkOptions, checkText } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { foldJournal } from '../model/fold.ts'
import { parseSignalName, type RunId } from '../model/ids.ts'
import { LIMITER_PREFIX } from '../model/limiter.ts'
import { type ApprovalDecision, isTerminal, type RunRecord, type RunStatus, type RunSummary } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import type { IAsyncContext } from '../ports/async-context.ts'
import { type IClock, wait } from '../ports/clock.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { followJournals, newestSummary, successorOf } from './follow.ts'
import { type RedriveOptions, redrive } from './redrive.ts'
import type { RunPorts } from './run-ports.ts'

export interface WaitForResultOptions {
  readonly signal?: AbortSignal
  /** Stop waiting after this long. The run goes on. */
  readonly timeoutMs?: number
  /** Wait for the last of the runs that go on for each other (`continueAsNew`). Default true. */
  readonly follow?: boolean
}

export interface StreamOptions {
  /** First sequence number; 1 replays the journal from its beginning. */
  readonly from?: number
  /** Go on until the run has ended. Default true. */
  readonly live?: boolean
  readonly signal?: AbortSignal
  /** Go on with the journals of the runs that go on for this one, each from its first event. Default true. */
  readonly follow?: boolean
}

export interface DecisionOptions {
  /** The id or name of the approval; needed only where several are pending. */
  readonly approval?: string
  readonly by?: string
  readonly reason?: string
  readonly payload?: unknown
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
    return this.#summaryOf(this.runId)
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
    checkOptions(options, ['signal', 'timeoutMs', 'follow'] satisfies (keyof WaitForResultOptions)[])
    const { signal, timeoutMs, follow = true } = options
    checkNumber(timeoutMs, 'timeoutMs', { least: 0 })
    const { clock, serializer, seenEnd } = this.#ports
    const stop = new AbortController()
    const onAbort = () => stop.abort(STOPPED)
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, onAbort)
    // Before the first look, so that no end falls between the look and the waiting.
    let seen = seenEnd?.(this.runId, stop.signal)
    let summary = await this.summary()
    try {
      for (;;) {
        if (follow && summary.continuedBy !== undefined && !stop.signal.aborted) {
          const next = await successorOf(this.#ports, summary)
          seen = seenEnd?.(next.runId, stop.signal)
          summary = await this.#summaryOf(next.runId)
          continue
        }
        const result = resultOf<Output>(summary, serializer)
        if (result !== undefined && !(follow && summary.continuedBy !== undefined)) return result
        if (signal?.aborted === true || stop.signal.aborted) {
          throw stoppedWaiting(this.runId, summary.status, signal, timeoutMs)
        }
        await this.#untilEnd(summary, stop.signal, seen)
        summary = await this.#summaryOf(summary.runId)
      }
    } finally {
      timer?.()
      stop.abort(STOPPED)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The journal from any position, and then live until the run has ended: no gap, no duplicate. */
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
    const result = await this.#notify({
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
    return this.#decide(true, options)
  }

  /** Says no to a pending approval. */
  deny(options: DecisionOptions = {}): Promise<void> {
    return this.#decide(false, options)
  }

  /**
   * Asks the run to stop. Nothing new starts, and running nodes get their signal.
   * @returns false when the run had ended, or failed, before: cancel either wins or loses
   */
  async cancel(reason = 'cancelled by request'): Promise<boolean> {
    checkText(reason, 'reason')
    const result = await this.#notify({ type: 'cancel', runId: this.runId, reason })
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
    const result = await this.#notify({ type: 'pause', runId: this.runId, reason, ...(by === undefined ? {} : { by }) })
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
    const result = await this.#notify({ type: 'unpause', runId: this.runId, ...(by === undefined ? {} : { by }) })
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

  async #decide(approved: boolean, options: DecisionOptions): Promise<void> {
    checkOptions(options, ['approval', 'by', 'reason', 'payload'])
    const { approval, by, reason, payload } = options
    checkText(approval, 'approval')
    checkText(by, 'by')
    checkText(reason, 'reason')
    const decision: ApprovalDecision = {
      approved,
      ...(by === undefined ? {} : { by }),
      ...(reason === undefined ? {} : { reason }),
      ...(payload === undefined ? {} : { payload: this.#ports.serializer.encode(payload, 'payload') }),
    }
    const latest = await this.latest()
    // Which approval is meant is for the run to say that asks for it.
    if (latest !== this) return latest.#decide(approved, options)
    const approvalId = await this.#approvalId(approval)
    const result = await this.#notify({ type: 'decide', runId: this.runId, approvalId, decision })
    switch (result.status) {
      case 'conflict': {
        const was = result.decision.approved ? 'approved' : 'denied'
        const who = result.decision.by === undefined ? '' : ` by ${result.decision.by}`
        throw new BatonError('APPROVAL_CONFLICT', {
          field: approvalId,
          message: `was ${was}${who} before`,
          runId: this.runId,
        })
      }
      case 'unknown-approval':
        throw new BatonError('UNKNOWN_APPROVAL', { field: approvalId, runId: this.runId })
      case 'ended':
        throw runEnded(this.runId, result.run.status)
      default:
        return
    }
  }

  async #summaryOf(runId: RunId): Promise<RunSummary> {
    const summary = await this.#ports.store.summary(runId)
    if (summary === undefined) throw unknownRun(runId)
    return summary
  }

  async #newest(): Promise<RunSummary> {
    const summary = await newestSummary(this.#ports, this.runId)
    if (summary === undefined) throw unknownRun(this.runId)
    return summary
  }

  /** The approval's full id, from its id, its name, or the fact that only one is pending. */
  async #approvalId(named: string | undefined): Promise<string> {
    const { pendingApprovals, status } = await this.summary()
    const pending = pendingApprovals.map(({ approvalId, instanceId }) => ({
      approvalId,
      name: `${instanceId}:${named}`,
    }))
    const isMeant = ({ approvalId, name }: (typeof pending)[number]) => approvalId === named || approvalId === name
    const matching = named === undefined ? pending : pending.filter(isMeant)
    const [only] = matching
    if (only !== undefined && matching.length === 1) return only.approvalId
    const decided = matching.length > 1 ? undefined : await this.#decidedId(named)
    if (decided !== undefined) return decided
    if (isTerminal(status)) throw runEnded(this.runId, status)
    const ids = pending.map(({ approvalId }) => approvalId).join(', ') || 'none'
    throw new BatonError('UNKNOWN_APPROVAL', {
      field: named ?? 'approval',
      message: matching.length === 0 ? `not pending; pending: ${ids}` : `name one of: ${ids}`,
      runId: this.runId,
    })
  }

  /** An approval that was decided before: saying the same again is no mistake, and saying otherwise a conflict. */
  async #decidedId(named: string | undefined): Promise<string | undefined> {
    const { decisions } = await this.record()
    const ids = Object.keys(decisions)
    const [only, ...others] = ids.filter((id) => named === undefined || id === named || id.endsWith(`:${named}`))
    return others.length === 0 ? only : undefined
  }

  async #notify(notice: Notice): Promise<NoticeResult> {
    const { store, bring } = this.#ports
    const { runId, result } = await notifyNewest(store, notice, bring)
    if (notice.type === 'cancel') this.#ports.onCancel?.(runId)
    if (result.status === 'unknown-run') throw unknownRun(this.runId)
    if (result.status === 'too-large') {
      throw new BatonError('TOO_LARGE', {
        field: 'payload',
        message: `the store takes ${result.limitBytes} bytes`,
        runId: this.runId,
      })
    }
    if (result.status !== 'accepted') return result
    if (result.ready.length > 0) await this.#ports.send(runId, result.ready)
    if (result.sent !== undefined) await this.#ports.deliver(runId, result.sent)
    return result
  }

  async #untilEnd({ runId, seq }: RunSummary, signal: AbortSignal, seen: Promise<void> | undefined): Promise<void> {
    const { store, clock } = this.#ports
    if (seen !== undefined && (await resolvesWithin(seen, OWN_WORKER_MS, clock, signal))) return
    for await (const { type } of store.journal(runId, { from: seq + 1, live: true, signal })) {
      if (type === 'run-completed' || type === 'run-failed' || type === 'run-cancelled') return
    }
    // A journal that ends without its run having ended would otherwise be asked again at once, for ever.
    if (!signal.aborted) await wait(clock, 50, signal)
  }
}

async function resolvesWithin(work: Promise<void>, ms: number, clock: IClock, signal: AbortSignal): Promise<boolean> {
  const enough = new AbortController()
  const onAbort = () => enough.abort(STOPPED)
  signal.addEventListener('abort', onAbort, { once: true })
  const isDone = await Promise.race([work.then(() => true), wait(clock, ms, enough.signal).then(() => false)])
  enough.abort(STOPPED)
  signal.removeEventListener('abort', onAbort)
  return isDone
}

/** Nobody asks why. Without a reason each signal would make an error of its own, with its stack. */
const STOPPED = 'stopped'

/** How long to believe that the worker next door will end the run, before following the journal like anybody else. */
const OWN_WORKER_MS = 500

/** Whether the run is neither over nor about to be. */
function isLive(result: NoticeResult): boolean {
  return result.status === 'accepted' || (result.status === 'unchanged' && !result.run.stopping)
}

function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}

function runEnded(runId: RunId, status: RunStatus): BatonError {
  return new BatonError('RUN_ENDED', { message: `run ${runId} has ended as ${status}`, runId })
}

function stoppedWaiting(
  runId: RunId,
  status: RunStatus,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
) {
  if (signal?.aborted === true) return signal.reason
  return new BatonError('WAIT_TIMEOUT', { message: `run ${runId} is still ${status} after ${timeoutMs} ms`, runId })
}
