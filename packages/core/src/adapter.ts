/** What people who build adapters use, beside `@baton/core`. */

// The engine that an adapter ties to its queue
export { partOptions, remindersFor } from './engine/adapter-options.ts'
export { HandlerSlots } from './engine/handler-slots.ts'
export {
  BaseDistributedAdapter,
  checkEngineOptions,
  type DistributedAdapterOptions,
  type EngineOptions,
} from './engine/distributed-adapter.ts'
export { type FlowSources, Registry } from './engine/registry.ts'
export { Worker } from './engine/worker.ts'
export type { WorkerOptions, WorkerSettings } from './engine/worker-options.ts'

// The ports to implement
export type { Awaitable } from './ports/awaitable.ts'
export type { ContextSource, IAsyncContext } from './ports/async-context.ts'
export { type IClock, systemClock, wait } from './ports/clock.ts'
export { onAbort } from './ports/on-abort.ts'
export {
  checkCoordinationKey,
  checkedSum,
  type ExpiryOptions,
  type ICoordinationStore,
} from './ports/coordination-store.ts'
export {
  type Acknowledge,
  type ConsumeOptions,
  type Delivery,
  type IJobQueue,
  type Job,
  type JobPayload,
  parseJob,
} from './ports/job-queue.ts'
export { type ILogger, type LogFields, type LogLevel, silentLogger, withFields } from './ports/logger.ts'
export { LogThrottle } from './ports/log-throttle.ts'
export { LateError, settledWithin, within } from './ports/deadline.ts'
export { jobOfText, readableText, textOfJob } from './ports/job-text.ts'
export { QueueOutage } from './ports/queue-outage.ts'
export type { Claim, ClaimedArrival, ClaimNeeds, ClaimRequest, ClaimResult } from './ports/claim.ts'
export type { RenewRequest, RenewResult, RunSignal } from './ports/claim.ts'
export type { LimiterNotice, Notice, NoticeResult } from './ports/notice.ts'
export type {
  CommitResult,
  FailureTakers,
  FirstClaim,
  NextClaim,
  Outcome,
  Settlement,
  Transition,
} from './ports/transition.ts'
export type { CreateResult, DueFlow, DueItem, DueQuery, Durability, IRunStore } from './ports/run-store.ts'
export { checkPurgeOptions } from './ports/run-store.ts'
export type { EnlistRequest, EnlistResult, IWaitingLists, WaitingList } from './ports/waiting-lists.ts'
export type { JournalOptions, PurgeOptions, RunPage, RunQuery } from './ports/run-store.ts'
export { newLimiter } from './model/limiter.ts'
export type { NewRun } from './model/run.ts'
export { firstUnpublished, PUBLISHED, publishedKey, recentEvents } from './model/publication.ts'

// The rules of a run, for stores that keep its commands in one order
export { applyCommand, type CommandResult } from './machine/apply.ts'
export type { Command } from './machine/command.ts'
export { type Blob, type BlobPlace, fatten, slim } from './machine/large-values.ts'
export { answerWithoutChange } from './machine/no-change.ts'
export { type Answer, ownAnswer } from './machine/own-answer.ts'
export type { MachineOptions } from './machine/machine-options.ts'
export { RunMachine } from './machine/run-machine.ts'
export { type CachedRun, RunCache } from './machine/run-cache.ts'
export { isNoted, noteOf, type RunNote } from './machine/run-note.ts'
export { checkPageLimit, cursorOf, pageOf, parseCursor } from './machine/run-pages.ts'
export { type StoredCommand, withoutRunId, withRunId } from './machine/stored-command.ts'
export { tallyOf } from './machine/tally.ts'
export { asWritten, copyOf } from './model/copy.ts'
export { fold, foldJournal } from './model/fold.ts'
export { recordOf } from './model/run-record.ts'
export { type RunState, summaryOf } from './model/run-state.ts'
export { enlistedSince } from './model/waiting-list.ts'

// A whole store for backends that keep lines in one order
export { createdAt } from './command-log/stored-note.ts'
export { flowName, flowOfName, namesFor } from './command-log/flow-name.ts'
export { CommandStore, redispatchCommands } from './command-log/command-store.ts'
export { LogStore, type LogStoreSettings } from './command-log/log-store.ts'
export { checkLogStoreOptions, type LogStoreOptions, logStoreOptions } from './command-log/log-store-options.ts'
export {
  type Creation,
  type Drafted,
  type Known,
  type Listed,
  type ListedQuery,
  type LogAnswer,
  type LogBackend,
  MADE,
  type MarkedPage,
  type MarkedQuery,
  type MarkedRuns,
  type MarkMove,
  NO_LOG,
  PURGED,
  REWOUND,
  type RunLog,
  type Waiting,
  type Wake,
} from './command-log/log-backend.ts'

// Model words that ports speak
export { ReadOnlyContext } from './context/read-only-context.ts'
export { storedContext } from './context/stored-context.ts'
export { applyDeltas, type ContextEntry, type Delta } from './model/delta.ts'
export type { RunEvent, RunFact } from './model/event.ts'
export { parentOfItem, parseFlowId, parseRunId, type Fence, type InstanceId, type RunId } from './model/ids.ts'
export { byteLength, canonicalText, deepEqual, type JsonObject, type JsonValue } from './model/json.ts'
export type { Arrival, ArrivedEdge, InstanceView, RunRecord, RunStatus, RunSummary } from './model/run.ts'
export { isSettled, isTerminal } from './model/run.ts'

// For what a person got wrong, and what went wrong
export { messageOf } from './model/message-of.ts'
export { checkInjected } from './ports/check-injected.ts'
export { assertOptions, checkChoice, checkFunction, checkNumber, checkOptions } from './model/check-options.ts'
export { nearestName } from './model/nearest.ts'
