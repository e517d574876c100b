/** The run that a node starts: whose it is, what it is called, and what it is started with. */
import { checkOptions } from '../model/check-options.ts'
import { type InstanceId, parseRunId, type RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { Claim } from '../ports/claim.ts'
import type { NewId } from '../ports/clock.ts'
import type { Send } from '../ports/transition.ts'
import { checkRunInput } from './check-value.ts'
import type { Environment } from './environment.ts'
import { commonOptions, publishedAs, toGatedRun } from './new-run.ts'
import type { ChildOptions } from './node-function.ts'
import type { RunnableFlow } from './registry.ts'

export interface ChildRequest {
  readonly flow: RunnableFlow | string
  readonly input: unknown
  readonly options: ChildOptions
  /** Of the call that asks for it, in its node. */
  readonly position: number
}

/** Checks it whole, and gives what the commit has to say so that the child is started. */
export async function childRun(
  { head, instanceId }: Claim,
  { flow, input: given, options, position }: ChildRequest,
  env: Environment,
): Promise<Extract<Send, { type: 'start-child' }>> {
  checkOptions(options, childOptions)
  const { detached = false, version, ...start } = options
  const graph = env.toStart(flow, version)
  const input = graph.inputSchema === undefined ? given : await checkRunInput(graph.inputSchema, given)
  const { lineage, correlation, priority } = head
  const runId = start.runId ?? childRunId(head.runId, instanceId, position, env.newId)
  const run: NewRun = {
    ...(priority === 0 ? {} : { priority }),
    ...(await toGatedRun(graph, input, { ...start, runId }, env)),
    ...publishedAs(head),
    lineage: { rootRunId: lineage.rootRunId, parentRunId: lastingIdOf(head) },
    correlation: { traceId: correlation.traceId, spanId: runId, parentSpanId: correlation.spanId },
  }
  return { type: 'start-child', run, detached }
}

const childOptions = [
  'runId',
  'version',
  ...commonOptions,
  'detached',
] as const satisfies readonly (keyof ChildOptions)[]

/**
 * Says whose child it is, where that fits into an id. What is no part of one is escaped, so that two children never get
 * the same.
 */
export function childRunId(parent: RunId, instanceId: InstanceId, position: number, newId: NewId): RunId {
  const name = instanceId.replace(/[^A-Za-z0-9._-]/g, (character) => `@${character.codePointAt(0)?.toString(16)}@`)
  const readable = `${parent}:${name}:${position}`
  return parseRunId(readable.length <= 128 ? readable : `child-${newId()}`)
}
