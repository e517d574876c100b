import { checkNumber, checkOptions, checkText } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { nearestName } from '../model/nearest.ts'
import { type RunStatus, runStatuses } from '../model/run.ts'
import type { RunQuery } from '../ports/run-store.ts'

/** Refuses a query that would match nothing, or everything, because of a slip. */
export function checkRunQuery(query: RunQuery): RunQuery {
  checkOptions(query, members, 'query')
  const { status, limit, createdAfterMs, createdBeforeMs, deadLettered, ...texts } = query
  if (status !== undefined) checkStatuses(status)
  checkNumber(limit, 'query.limit', { least: 1, most: 1_000, whole: true })
  checkNumber(createdAfterMs, 'query.createdAfterMs', { least: 0 })
  checkNumber(createdBeforeMs, 'query.createdBeforeMs', { least: 0 })
  if (deadLettered !== undefined && (deadLettered as unknown) !== true) {
    throw refused('query.deadLettered', 'must be true', 'Leave it out for all runs.')
  }
  for (const [member, text] of Object.entries(texts)) {
    checkText(text, `query.${member}`)
  }
  return query
}

function checkStatuses(statuses: unknown): void {
  if (!Array.isArray(statuses)) throw refused('query.status', 'must be a list', "Write `status: ['failed']`.")
  for (const [index, status] of statuses.entries()) {
    if (runStatuses.includes(status as RunStatus)) continue
    const nearest = nearestName(String(status), runStatuses)
    const hint = nearest === undefined ? `Known: ${runStatuses.join(', ')}.` : `Did you mean \`${nearest}\`?`
    throw refused(`query.status[${index}]`, 'no such status', hint)
  }
}

function refused(field: string, message: string, hint?: string): BatonError {
  return new BatonError('INVALID_OPTION', { field, message, ...(hint === undefined ? {} : { hint }) })
}

const members = [
  'status',
  'flowId',
  'tag',
  'createdAfterMs',
  'createdBeforeMs',
  'deadLettered',
  'limit',
  'cursor',
] as const satisfies readonly (keyof RunQuery)[]
