import { BatonError } from '../model/errors.ts'
import type { RunSummary } from '../model/run.ts'
import type { RunPage, RunQuery } from '../ports/run-store.ts'

/** A page of the runs that match, newest first: for stores that can look at all their summaries. */
export function pageOf(runs: readonly RunSummary[], query: RunQuery): RunPage {
  const limit = checkPageLimit(query.limit ?? 100)
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor)
  const matching = runs
    .filter((run) => matches(run, query))
    .filter((run) => after === undefined || compare(run, after) > 0)
    .sort(compare)
  const page = matching.slice(0, limit)
  const last = page.at(-1)
  return { runs: page, ...(last === undefined || matching.length <= limit ? {} : { cursor: cursorOf(last) }) }
}

/** Where a run stands in the order of pages. */
export interface Place {
  readonly createdAtMs: number
  readonly runId: string
}

/** Newest first; runs of the same instant by id, so that pages neither repeat nor miss one. */
function compare(left: Place, right: Place): number {
  if (left.createdAtMs !== right.createdAtMs) return right.createdAtMs - left.createdAtMs
  return left.runId < right.runId ? -1 : left.runId > right.runId ? 1 : 0
}

function matches(
  run: RunSummary,
  { status, flowId, tag, createdAfterMs, createdBeforeMs, deadLettered }: RunQuery,
): boolean {
  return (
    (status === undefined || status.includes(run.status)) &&
    (flowId === undefined || run.flowId === flowId) &&
    (tag === undefined || run.tags.includes(tag)) &&
    (createdAfterMs === undefined || run.createdAtMs > createdAfterMs) &&
    (createdBeforeMs === undefined || run.createdAtMs < createdBeforeMs) &&
    (deadLettered === undefined || run.deadLetterCount !== undefined)
  )
}

/** The cursor of a page that ends there. */
export function cursorOf({ createdAtMs, runId }: Place): string {
  return `${createdAtMs}/${runId}`
}

export function parseCursor(cursor: string): Place {
  const [time, runId] = cursor.split('/')
  const createdAtMs = Number(time)
  if (runId === undefined || !Number.isFinite(createdAtMs)) {
    throw new BatonError('INVALID_OPTION', { field: 'cursor', message: 'not a cursor that a page gave' })
  }
  return { createdAtMs, runId }
}

export function checkPageLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return limit
  throw new BatonError('INVALID_OPTION', { field: 'limit', message: 'a page has 1 to 1,000 runs' })
}
