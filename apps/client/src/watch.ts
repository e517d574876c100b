/** Follows a run: its journal from the beginning, then live to its end, then its result. */
import { isTerminal, type RunHandle, type RunSummary } from '@baton/core'
import { createView, type View } from './views.ts'

/** Without news for this long and with nobody at work, a person should be told why. */
const IDLE_MS = 2_000

/** @returns how the run ended, or undefined when the signal fired first; the run then goes on without us */
export async function follow(
  handle: RunHandle,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<RunSummary | undefined> {
  const view = createView({ json, runId: handle.runId })
  try {
    return await showAll(handle, view, signal)
  } finally {
    view.close()
  }
}

async function showAll(handle: RunHandle, view: View, signal: AbortSignal): Promise<RunSummary | undefined> {
  let atWork = 0
  let from = 1
  let idle = setTimeout(() => view.idle(), IDLE_MS)
  try {
    while (!signal.aborted) {
      for await (const event of handle.stream({ from, signal })) {
        from = event.seq + 1
        view.event(event)
        clearTimeout(idle)
        if (event.type === 'node-claimed') atWork += 1
        if ('fence' in event && END_OF_CLAIM.has(event.type)) atWork -= 1
        const isQuietByRight = atWork > 0 || event.type === 'run-paused' || event.type === 'node-slept'
        if (!isQuietByRight) idle = setTimeout(() => view.idle(), IDLE_MS)
      }
      const summary = await handle.summary()
      if (isTerminal(summary.status)) return summary
    }
    return undefined
  } finally {
    clearTimeout(idle)
  }
}

const END_OF_CLAIM: ReadonlySet<string> = new Set([
  'node-lost',
  'node-released',
  'node-succeeded',
  'node-failed',
  'node-skipped',
  'attempt-failed',
  'node-slept',
  'node-awaited',
  'map-expanded',
])

/** Prints the result, and gives the exit code: 0 only for a run that completed. */
export function printResult(summary: RunSummary, { json }: { readonly json: boolean }): number {
  const { runId, status, output, error, reason } = summary
  if (json) {
    const result = { runId, status, output, error, reason }
    process.stdout.write(`${JSON.stringify(result)}\n`)
  } else if (status === 'completed') {
    // Output as the store keeps it: JSON, also where a value is a Map or a bigint.
    process.stdout.write(output === undefined ? '' : `${JSON.stringify(output, null, 2)}\n`)
  } else {
    process.stderr.write(`${runId} ${status}: ${error?.message ?? reason ?? ''}\n`)
  }
  return status === 'completed' ? 0 : 1
}
