/**
 * The functions behind `.approval()`, `.child()`, `.sleep()` and `.waitForSignal()` of a flow. What they wait for is in the node's
 * `params`, so that a blueprint that somebody else wrote can use them by their names.
 */

import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import { errors } from '../model/errors.ts'
import { parseFlowId, parseSignalName } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { flag, json, mistake, number, object, type Reader } from '../model/readers.ts'
import type { ApprovalDecision } from '../model/run.ts'
import type { NodeFunction } from './node-function.ts'

/** Waits for a decision, and gives it. One that is no takes an edge with the action `denied`, or fails the node. */
export const approve: NodeFunction<unknown, ApprovalDecision> = async ({ approval, params }) => {
  const { name, ...options } = readApproval(params, 'params')
  return { output: await approval(name, options), action: 'approved' }
}

export const sleep: NodeFunction<unknown, never> = async (args) => {
  await args.sleep(readSleep(args.params, 'params').delayMs)
}

export const waitForSignal: NodeFunction = async (args) => {
  const { signal, ...options } = readWaitForSignal(args.params, 'params')
  return { output: await args.waitForSignal(signal, options) }
}

/** Starts a run of its own with the node's input, and gives its output; or goes on at once with its id. */
export const child: NodeFunction = async ({ input, params, runChild, startChild }) => {
  const { flow, wait = true, timeoutMs, ...options } = readChild(params, 'params')
  if (!wait) return { output: (await startChild(flow, input, options)).runId }
  return { output: await runChild(flow, input, { ...options, ...(timeoutMs === undefined ? {} : { timeoutMs }) }) }
}

/** By the names that blueprints use. */
export const builtInNodes: ReadonlyMap<string, NodeFunction<never, unknown>> = new Map<
  string,
  NodeFunction<never, unknown>
>([
  [APPROVAL, approve],
  [CHILD, child],
  [SLEEP, sleep],
  [WAIT_FOR_SIGNAL, waitForSignal],
])

type ApprovalParams = { readonly name: string; readonly request?: JsonValue; readonly timeoutMs?: number }
type SleepParams = { readonly delayMs: number }
type ChildParams = {
  readonly flow: string
  readonly version?: string
  readonly wait?: boolean
  readonly detached?: boolean
  readonly timeoutMs?: number
}
type SignalParams = { readonly signal: string; readonly timeoutMs?: number }

const readSignalName: Reader<string> = (data, field) => {
  try {
    return parseSignalName(data, field)
  } catch {
    throw mistake(field, 'not a usable name', errors.INVALID_ID.hint)
  }
}

const readFlowId: Reader<string> = (data, field) => {
  try {
    return parseFlowId(data, field)
  } catch {
    throw mistake(field, 'not a usable id', errors.INVALID_ID.hint)
  }
}

const readMs = number({ least: 0 })

// Read when the flow is built, and again when the node runs: its blueprint may have been written by hand.
export const readApproval = object<ApprovalParams>({ name: readSignalName, request: json, timeoutMs: readMs }, ['name'])
export const readSleep = object<SleepParams>({ delayMs: readMs }, ['delayMs'])
export const readChild = object<ChildParams>(
  { flow: readFlowId, version: readFlowId, wait: flag, detached: flag, timeoutMs: readMs },
  ['flow'],
)
export const readWaitForSignal = object<SignalParams>({ signal: readSignalName, timeoutMs: readMs }, ['signal'])
