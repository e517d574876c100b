import type { InstanceId, RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { ContextSource } from '../ports/async-context.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { RunSignal } from '../ports/claim.ts'
import type { IClock, NewId, Random } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import type { ISerializer } from '../ports/serializer.ts'
import type { CommitResult, Transition } from '../ports/transition.ts'
import type { Deadlines } from './deadlines.ts'
import type { Graph } from './graph.ts'
import type { NodeMiddleware } from './middleware.ts'
import type { RunnableFlow } from './registry.ts'

/** What an attempt needs of the process it runs in. A worker fills it from its ports, `FlowRuntime` from memory. */
export interface Environment {
  readonly serializer: ISerializer
  readonly clock: IClock
  readonly random: Random
  readonly newId: NewId
  readonly logger: ILogger
  readonly workerId: string
  readonly deadlines: Deadlines
  readonly abandonAfterMs: number
  /** What runs around node code, outermost first; absent where nothing does. */
  readonly middleware: readonly NodeMiddleware[] | undefined
  contextOf(runId: RunId): ContextSource
  /** The flow that a child is started with. Throws `UNKNOWN_FLOW`. */
  toStart(flow: RunnableFlow | string, version: string | undefined): Graph
  /** Whether there is a run of that id. */
  isTaken(runId: RunId): Awaitable<boolean>
  /** @param attempt for the log */
  commit(transition: Transition, attempt: number): Awaitable<CommitResult>
  /** Whether the journal is so long that nothing new may be begun in it. */
  isJournalFull(run: RunSignal): boolean
  /** Brings messages to the runs that they are for. Never throws. */
  deliver(runId: RunId, messages: readonly RunMessage[]): Promise<void>
}

/** The fields that every log line about work carries. Attempt 0 is before anyone has claimed. */
export function workFields(runId: RunId, instanceId: InstanceId, attempt: number, workerId: string) {
  return { runId, instanceId, attempt, workerId }
}
