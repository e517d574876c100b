/** The run that goes on for a run that ends with `continueAsNew`: what it is called, and what it is started with. */
import { checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import type { NewRun, RunHead } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import { checkRunInput } from './check-value.ts'
import type { Environment } from './environment.ts'
import { commonOptions, publishedAs, toGatedRun } from './new-run.ts'
import type { ContinueOptions } from './node-function.ts'

interface ContinueRequest {
  readonly input: unknown
  readonly options: ContinueOptions
}

/** Checks it whole. A deadline begins anew: the flow's, or the one that is given here. */
export async function continuedRun(
  head: RunHead,
  { input: given, options }: ContinueRequest,
  env: Pick<Environment, 'toStart' | 'serializer' | 'newId' | 'isTaken'>,
): Promise<NewRun> {
  checkOptions(options, continueOptions)
  const { version, upgrade, ...start } = options
  const graph = env.toStart(head.flowId, wantedVersion(head, options))
  const input = graph.inputSchema === undefined ? given : await checkRunInput(graph.inputSchema, given)
  const { runId: previousRunId, lineage, correlation, priority, tags } = head
  const firstRunId = lastingIdOf(head)
  const link = (lineage.succession?.link ?? 1) + 1
  const runId = await successorId(firstRunId, link, env)
  return {
    ...(priority === 0 ? {} : { priority }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(await toGatedRun(graph, input, { ...start, runId }, env)),
    ...publishedAs(head),
    lineage: {
      rootRunId: lineage.rootRunId,
      ...(lineage.parentRunId === undefined ? {} : { parentRunId: lineage.parentRunId }),
      ...(lineage.endSignal === undefined ? {} : { endSignal: lineage.endSignal }),
      succession: { firstRunId, previousRunId, link },
    },
    correlation: { traceId: correlation.traceId, spanId: runId, parentSpanId: correlation.spanId },
  }
}

/** The run's own unless told otherwise: what a run is made of does not change because it lasts. */
function wantedVersion(head: RunHead, { version, upgrade }: ContinueOptions): string | undefined {
  if (upgrade !== undefined && typeof upgrade !== 'boolean') {
    throw new BatonError('INVALID_OPTION', { field: 'upgrade', message: 'true or false' })
  }
  if (upgrade !== true) return version ?? head.version
  if (version === undefined) return undefined
  const hint = 'Give the one or the other.'
  throw new BatonError('INVALID_OPTION', { field: 'upgrade', message: 'given beside a version', hint })
}

/** Says whose successor it is, where that fits into an id and nobody has taken that one for a run of their own. */
async function successorId(
  first: RunId,
  link: number,
  { newId, isTaken }: Pick<Environment, 'newId' | 'isTaken'>,
): Promise<RunId> {
  const readable = `${first}@${link}`
  if (readable.length > 128) return parseRunId(`run-${newId()}`)
  const runId = parseRunId(readable)
  if (!(await isTaken(runId))) return runId
  const other = `${readable}-${newId()}`
  return parseRunId(other.length <= 128 ? other : `run-${newId()}`)
}

const continueOptions = ['version', 'upgrade', ...commonOptions] as const satisfies readonly (keyof ContinueOptions)[]
