/**
 * The runs that a run has started, and what it has to tell other runs.
 *
 * A child is known from the commit that asked for it. What is to be told lies in the outbox, beyond the run's own end,
 * until the other run has it; who delivers is the engine's business.
 */
import type { InstanceId } from './ids.ts'
import { deepEqual } from './json.ts'
import type { ChildEnd, RunMessage } from './message.ts'
import type { NewRun } from './run.ts'
import type { RunState } from './run-state.ts'

export interface ChildState {
  /** What it was started with. */
  readonly run: NewRun
  readonly instanceId: InstanceId
  readonly detached: boolean
  /** An earlier run of the row has started it: a node of this one with the same name has nothing to do with it. */
  readonly isCarried?: true
  /** How it ended, once that is known here. */
  end: ChildEnd | undefined
}

/** A message that has not been delivered. */
export interface OutboxEntry {
  readonly message: RunMessage
  readonly dueAtMs: number
  // Not in the journal.
  remindAtMs: number
  dispatch: number
}

/** Whether this run has a child of that id already which was started with something else. */
export function isOtherChild({ children }: RunState, { runId, flowId, version, input, context }: NewRun): boolean {
  const known = children?.get(runId)?.run
  if (known === undefined) return false
  const isSame = known.flowId === flowId && known.version === version
  return !isSame || !deepEqual(known.input, input) || !deepEqual(known.context, context)
}

/** The same run asked for twice is one child. */
export function addChild(
  state: RunState,
  instanceId: InstanceId,
  run: NewRun,
  { detached, atMs, isCarried }: Pick<ChildState, 'detached' | 'isCarried'> & { readonly atMs: number },
): void {
  state.children ??= new Map()
  const { runId } = run
  if (state.children.has(runId)) return
  state.children.set(runId, {
    run,
    instanceId,
    detached,
    ...(isCarried === undefined ? {} : { isCarried }),
    end: undefined,
  })
  post(state, startMessage(run), atMs)
}

export function startMessage(run: NewRun): RunMessage {
  return { key: `start:${run.runId}`, to: run.runId, body: { type: 'start', run } }
}

/** Calls off the children that still run: all of the run, or those of one instance. What was detached goes on. */
export function callOffChildren(state: RunState, reason: string, atMs: number, instanceId?: InstanceId): void {
  if (state.children === undefined) return
  for (const child of state.children.values()) {
    if (child.detached || child.end !== undefined) continue
    if (instanceId !== undefined && (child.instanceId !== instanceId || child.isCarried === true)) continue
    const { runId } = child.run
    post(state, { key: `cancel:${runId}`, to: runId, body: { type: 'cancel', reason } }, atMs)
  }
}

/** A child tells its parent that it has ended. */
export function tellParent(state: RunState, atMs: number): void {
  const { parentRunId } = state.head.lineage
  if (parentRunId !== undefined)
    post(state, { key: 'child-ended', to: parentRunId, body: { type: 'child-ended' } }, atMs)
}

/** Puts a message into the outbox, once. */
export function post(state: RunState, message: RunMessage, atMs: number): void {
  state.outbox ??= new Map()
  if (state.outbox.has(message.key)) return
  state.outbox.set(message.key, { message, dueAtMs: atMs, remindAtMs: atMs, dispatch: 0 })
  state.sent.push(message)
  if (atMs < state.newDueAtMs) state.newDueAtMs = atMs
}
