/** The run that a node starts and has nothing more to do with: nobody's child, the root of its own lineage. */
import { checkOptions } from '../model/check-options.ts'
import { parseSignalName } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { Claim } from '../ports/claim.ts'
import { checkRunInput } from './check-value.ts'
import { childRunId } from './child-run.ts'
import type { Environment } from './environment.ts'
import { commonOptions, publishedAs, toGatedRun } from './new-run.ts'
import type { StartRunOptions } from './node-function.ts'
import type { RunnableFlow } from './registry.ts'

export interface IndependentRequest {
  readonly flow: RunnableFlow | string
  readonly input: unknown
  readonly options: StartRunOptions
  /** Of the call that asks for it, in its node. */
  readonly position: number
}

/**
 * Checks it whole, and gives the run to post. The starter does not keep it in mind as it does a child; where it wants to
 * hear of the end, the run itself knows whom to tell.
 */
export async function independentRun(
  { head, instanceId }: Claim,
  { flow, input: given, options, position }: IndependentRequest,
  env: Environment,
): Promise<NewRun> {
  checkOptions(options, startRunOptions)
  const { endSignal, version, ...start } = options
  const graph = env.toStart(flow, version)
  const input = graph.inputSchema === undefined ? given : await checkRunInput(graph.inputSchema, given)
  const runId = start.runId ?? childRunId(head.runId, instanceId, position, env.newId)
  const run = { ...(await toGatedRun(graph, input, { ...start, runId }, env)), ...publishedAs(head) }
  if (endSignal === undefined) return run
  const lineage = {
    rootRunId: run.runId,
    // The first of a row of runs is there as long as one of them lives.
    parentRunId: lastingIdOf(head),
    endSignal: parseSignalName(endSignal, 'endSignal'),
  }
  return { ...run, lineage }
}

const startRunOptions = [
  'runId',
  'version',
  ...commonOptions,
  'endSignal',
] as const satisfies readonly (keyof StartRunOptions)[]
