/** Waits until a run is over, whoever does its work: a worker next door is seen, all others are followed. */
import { checkNumber, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { isTerminal, type RunStatus, type RunSummary } from '../model/run.ts'
import { type IClock, wait } from '../ports/clock.ts'
import { successorOf } from './follow.ts'
import { summaryOf } from './run-or-throw.ts'
import type { RunPorts } from './run-ports.ts'

export interface WaitForResultOptions {
  readonly signal?: AbortSignal
  /** Stop waiting after this long. The run goes on. */
  readonly timeoutMs?: number
  /** Wait for the last of the runs that go on for each other (`continueAsNew`). Default true. */
  readonly follow?: boolean
}

/** @returns the run, ended: where it follows, the last of those that go on for each other */
export async function waitForEnd(runId: RunId, options: WaitForResultOptions, ports: RunPorts): Promise<RunSummary> {
  checkOptions(options, ['signal', 'timeoutMs', 'follow'] satisfies (keyof WaitForResultOptions)[])
  const { signal, timeoutMs, follow = true } = options
  checkNumber(timeoutMs, 'timeoutMs', { least: 0 })
  const { clock, seenEnd } = ports
  const stop = new AbortController()
  const onAbort = () => stop.abort(STOPPED)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, onAbort)
  // Before the first look, so that no end falls between the look and the waiting.
  let seen = seenEnd?.(runId, stop.signal)
  let summary = await summaryOf(ports, runId)
  try {
    for (;;) {
      if (follow && summary.continuedBy !== undefined && !stop.signal.aborted) {
        const next = await successorOf(ports, summary)
        seen = seenEnd?.(next.runId, stop.signal)
        summary = await summaryOf(ports, next.runId)
        continue
      }
      if (isTerminal(summary.status) && !(follow && summary.continuedBy !== undefined)) return summary
      if (signal?.aborted === true || stop.signal.aborted) {
        throw stoppedWaiting(runId, summary.status, signal, timeoutMs)
      }
      await untilEnd(summary, stop.signal, seen, ports)
      const { seq } = summary
      summary = await summaryOf(ports, summary.runId)
      // A journal that ends without its run having ended would otherwise be asked again at once, for ever.
      if (summary.seq === seq && !stop.signal.aborted) await wait(clock, 50, stop.signal)
    }
  } finally {
    timer?.()
    stop.abort(STOPPED)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function untilEnd(
  { runId, seq }: RunSummary,
  signal: AbortSignal,
  seen: Promise<void> | undefined,
  { store, clock }: RunPorts,
): Promise<void> {
  if (seen !== undefined && (await resolvesWithin(seen, OWN_WORKER_MS, clock, signal))) return
  for await (const { type } of store.journal(runId, { from: seq + 1, live: true, signal, endOnly: true })) {
    if (type === 'run-completed' || type === 'run-failed' || type === 'run-cancelled') return
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

function stoppedWaiting(
  runId: RunId,
  status: RunStatus,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
) {
  if (signal?.aborted === true) return signal.reason
  return new BatonError('WAIT_TIMEOUT', { message: `run ${runId} is still ${status} after ${timeoutMs} ms`, runId })
}
