/** Work that has failed for good, over all runs: what operators look at first. */
import { checkNumber, checkOptions, checkText } from '../model/check-options.ts'
import type { RunId } from '../model/ids.ts'
import type { DeadLetter, RunStatus } from '../model/run.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { redriveIdOf } from './redrive-id.ts'

export interface DeadLetterQuery {
  readonly flowId?: string
  /** Of runs to look into, 100 unless set, 1,000 at most. A page has all dead letters of its runs. */
  readonly limit?: number
  readonly cursor?: string
}

/** A dead letter and where it lies. */
export interface RunDeadLetter extends DeadLetter {
  readonly runId: RunId
  readonly flowId: string
  readonly version?: string
  readonly runStatus: RunStatus
  /** The run that does this one's work over, once an operator has asked for it. */
  readonly redrivenAs?: RunId
}

export interface DeadLetterPage {
  /** Of the newest run first; of one run in the order in which they failed. */
  readonly deadLetters: readonly RunDeadLetter[]
  /** Pass it on for the next page; absent on the last. */
  readonly cursor?: string
}

export async function listDeadLetters(store: IRunStore, query: DeadLetterQuery): Promise<DeadLetterPage> {
  checkOptions(query, ['flowId', 'limit', 'cursor'] satisfies (keyof DeadLetterQuery)[], 'query')
  const { flowId, limit, cursor } = query
  checkText(flowId, 'query.flowId')
  checkText(cursor, 'query.cursor')
  checkNumber(limit, 'query.limit', { least: 1, most: 1_000, whole: true })
  const page = await store.list({
    deadLettered: true,
    ...(flowId === undefined ? {} : { flowId }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  })
  const deadLetters: RunDeadLetter[] = []
  for (const { runId } of page.runs) deadLetters.push(...(await ofRun(store, runId)))
  return { deadLetters, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) }
}

async function ofRun(store: IRunStore, runId: RunId): Promise<RunDeadLetter[]> {
  const run = await store.load(runId)
  // It was removed since the list was made.
  if (run === undefined) return []
  const { flowId, version, status: runStatus, deadLetters } = run
  const again = await store.summary(await redriveIdOf(runId))
  const where = { runId, flowId, ...(version === undefined ? {} : { version }), runStatus }
  const as = again === undefined ? {} : { redrivenAs: again.runId }
  return deadLetters.map((letter) => ({ ...letter, ...where, ...as }))
}
