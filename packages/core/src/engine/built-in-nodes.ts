/**
 * The functions behind `.approval()`, `.sleep()` and `.waitForSignal()` of a flow. What they wait for is in the node's
 * `params`, so that a blueprint that somebody else wrote can use them by their names.
 */

import { APPROVAL, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import { errors } from '../model/errors.ts'
import { parseSignalName } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { json, mistake, number, object, type Reader } from '../model/readers.ts'
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

/** By the names that blueprints use. */
export const builtInNodes: ReadonlyMap<string, NodeFunction<never, unknown>> = new Map<
  string,
  NodeFunction<never, unknown>
>([
  [APPROVAL, approve],
  [SLEEP, sleep],
  [WAIT_FOR_SIGNAL, waitForSignal],
])

type ApprovalParams = { readonly name: string; readonly request?: JsonValue; readonly timeoutMs?: number }
type SleepParams = { readonly delayMs: number }
type SignalParams = { readonly signal: string; readonly timeoutMs?: number }

const readSignalName: Reader<string> = (data, field) => {
  try {
    return parseSignalName(data, field)
  } catch {
    throw mistake(field, 'not a usable name', errors.INVALID_ID.hint)
  }
}

const readMs = number({ least: 0 })

// Read when the flow is built, and again when the node runs: its blueprint may have been written by hand.
export const readApproval = object<ApprovalParams>({ name: readSignalName, request: json, timeoutMs: readMs }, ['name'])
export const readSleep = object<SleepParams>({ delayMs: readMs }, ['delayMs'])
export const readWaitForSignal = object<SignalParams>({ signal: readSignalName, timeoutMs: readMs }, ['signal'])
