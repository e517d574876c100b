/** What people who build adapters use, beside `@baton/core`. */

// Model words that ports speak
export { ReadOnlyContext } from './context/read-only-context.ts'
// The engine that an adapter ties to its queue
export { BaseDistributedAdapter, type DistributedAdapterOptions } from './engine/distributed-adapter.ts'
export { type FlowSources, Registry } from './engine/registry.ts'
export { Worker, type WorkerOptions } from './engine/worker.ts'
// The rules of a run, for stores that keep its commands in one order
export { applyCommand, type CommandResult } from './machine/apply.ts'
export type { Command } from './machine/command.ts'
export { type MachineOptions, RunMachine } from './machine/run-machine.ts'
export { pageOf } from './machine/run-pages.ts'
export { applyDeltas, type ContextEntry, type Delta } from './model/delta.ts'
export type { RunEvent, RunFact } from './model/event.ts'
export { fold, foldJournal } from './model/fold.ts'
export { type Fence, type InstanceId, parentOfItem, parseFlowId, parseRunId, type RunId } from './model/ids.ts'
export { byteLength, canonicalText, deepEqual, type JsonObject, type JsonValue } from './model/json.ts'
export type { Arrival, ArrivedEdge, InstanceView, RunRecord, RunStatus, RunSummary } from './model/run.ts'
export { isSettled, isTerminal } from './model/run.ts'
export { type RunState, recordOf, summaryOf } from './model/run-state.ts'
export type { ContextSource, IAsyncContext } from './ports/async-context.ts'
// The ports to implement
export type { Awaitable } from './ports/awaitable.ts'
export { type IClock, systemClock, wait } from './ports/clock.ts'
export { checkCoordinationKey, type ExpiryOptions, type ICoordinationStore } from './ports/coordination-store.ts'
export {
  type ConsumeOptions,
  type Delivery,
  type IJobQueue,
  type Job,
  type JobPayload,
  parseJob,
} from './ports/job-queue.ts'
export { type ILogger, type LogFields, type LogLevel, silentLogger, withFields } from './ports/logger.ts'
export type {
  Claim,
  ClaimedArrival,
  ClaimNeeds,
  ClaimRequest,
  ClaimResult,
  CommitResult,
  CreateResult,
  DueItem,
  DueQuery,
  Durability,
  FailureTakers,
  IRunStore,
  JournalOptions,
  NewRun,
  NextClaim,
  Notice,
  NoticeResult,
  Outcome,
  PurgeOptions,
  RenewRequest,
  RenewResult,
  RunPage,
  RunQuery,
  RunSignal,
  Settlement,
  Transition,
} from './ports/run-store.ts'
