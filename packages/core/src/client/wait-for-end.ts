/** Waits until a run is over, whoever does its work: a worker next door is seen, all others are followed. */
import { checkNumber, checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { isTerminal, type RunSummary } from '../model/run.ts'
import { type IClock, wait } from '../ports/clock.ts'
import { onAbort } from '../ports/on-abort.ts'
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
  if (timeoutMs === undefined) return lastEnd(runId, { follow, signal, asked: signal }, ports)
  const stop = new AbortController()
  const end = () => stop.abort(STOPPED)
  const stopListening = onAbort(signal, end)
  const timer = ports.clock.after(timeoutMs, end)
  if (signal?.aborted === true) end()
  try {
    return await lastEnd(runId, { follow, signal: stop.signal, asked: signal, timeoutMs }, ports)
  } finally {
    timer()
    stopListening()
  }
}

interface Waiting {
  readonly follow: boolean
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined
  /** The caller's own: with a timeout it is not the same. */
  readonly asked: AbortSignal | undefined
  readonly timeoutMs?: number
}

async function lastEnd(runId: RunId, waiting: Waiting, ports: RunPorts): Promise<RunSummary> {
  const { follow, signal } = waiting
  for (let current = runId; ; ) {
    const summary = await endOf(current, signal, ports)
    if (summary === undefined) throw await stoppedWaiting(runId, current, waiting, ports)
    if (!follow || summary.continuedBy === undefined) return summary
    current = (await successorOf(ports, summary)).runId
  }
}

/** Undefined when the signal fires first. */
async function endOf(runId: RunId, signal: AbortSignal | undefined, ports: RunPorts): Promise<RunSummary | undefined> {
  const { store } = ports
  if (store.untilEnd !== undefined) return store.untilEnd(runId, signal)
  const stop = new AbortController()
  const end = () => stop.abort(STOPPED)
  const stopListening = onAbort(signal, end)
  if (signal?.aborted === true) end()
  try {
    // Before the first look, so that no end falls between the look and the waiting.
    const seen = ports.seenEnd?.(runId, stop.signal)
    for (let seq = -1; ; ) {
      const summary = await summaryOf(ports, runId)
      if (isTerminal(summary.status)) return summary
      if (stop.signal.aborted) return undefined
      // A journal that ends without its run having ended would otherwise be asked again at once, for ever.
      if (summary.seq === seq) await wait(ports.clock, 50, stop.signal)
      seq = summary.seq
      await followToEnd(summary, stop.signal, seen, ports)
    }
  } finally {
    end()
    stopListening()
  }
}

async function followToEnd(
  { runId, seq }: RunSummary,
  signal: AbortSignal,
  seen: Promise<void> | undefined,
  { store, clock }: RunPorts,
): Promise<void> {
  if (seen !== undefined && (await resolvesWithin(seen, OWN_WORKER_MS, clock, signal))) return
  for await (const { type } of store.journal(runId, { from: seq + 1, live: true, signal })) {
    if (type === 'run-completed' || type === 'run-failed' || type === 'run-cancelled') return
  }
}

async function resolvesWithin(work: Promise<void>, ms: number, clock: IClock, signal: AbortSignal): Promise<boolean> {
  const enough = new AbortController()
  const stopListening = onAbort(signal, () => enough.abort(STOPPED))
  const isDone = await Promise.race([work.then(() => true), wait(clock, ms, enough.signal).then(() => false)])
  enough.abort(STOPPED)
  stopListening()
  return isDone
}

/** Nobody asks why. Without a reason each signal would make an error of its own, with its stack. */
const STOPPED = 'stopped'

/** How long to believe that the worker next door will end the run, before following the journal like anybody else. */
const OWN_WORKER_MS = 500

async function stoppedWaiting(
  runId: RunId,
  current: RunId,
  { asked, timeoutMs }: Waiting,
  ports: RunPorts,
): Promise<unknown> {
  if (asked?.aborted === true) return asked.reason
  const { status } = await summaryOf(ports, current)
  return new BatonError('WAIT_TIMEOUT', { message: `run ${runId} is still ${status} after ${timeoutMs} ms`, runId })
}
