/** What people who build flows, clients and workers use. Those who build adapters also want `@baton/core/adapter`. */

// Flows
export { createFlow, Flow, type InputOf } from './flow/create-flow.ts'
export type {
  EdgeOptions,
  FlowOptions,
  KeyedLimit,
  LimitOption,
  MapOptions,
  NodeOptions,
  SchemaOptions,
} from './flow/flow-options.ts'
export type { NodeTypes } from './flow/node-types.ts'
export type { StandardSchemaV1 } from './model/standard-schema.ts'
export type {
  ApprovalOptions,
  ChildHandle,
  ChildOptions,
  ContinueOptions,
  EdgePredicate,
  EdgeTransform,
  NodeArguments,
  NodeFunction,
  NodeResult,
  NodeReturn,
  RunChildOptions,
  StartRunOptions,
  StepFunction,
  WaitOptions,
} from './engine/node-function.ts'
export type {
  Blueprint,
  BlueprintEdge,
  BlueprintNode,
  ConcurrencyLimit,
  InputSource,
  LoopPolicy,
  MapPolicy,
  NodeConfig,
  RateLimit,
  RunPolicy,
  WorkflowBlueprint,
} from './model/blueprint.ts'
export { defaults } from './model/blueprint.ts'
export { analyzeBlueprint, type BlueprintAnalysis } from './analysis/analyze-blueprint.ts'
export { type NodeRelations, relationsOf } from './analysis/node-relations.ts'
export { drawFlow } from './analysis/draw-flow.ts'
export { toMermaid } from './analysis/to-mermaid.ts'
export { lintBlueprint, type LintWarning } from './analysis/lint-blueprint.ts'
export { type LintCode, lintRules } from './analysis/lint-rules.ts'
export { checkBlueprint } from './model/check-blueprint.ts'
export type { RetryPolicy } from './model/retry.ts'
export type { NodeExecution, NodeMiddleware } from './engine/middleware.ts'
export type { FlowSources, FunctionRegistry, RunnableFlow } from './engine/registry.ts'

// Running them here
export { FlowRuntime, type FlowRuntimeOptions, type RunOptions } from './runtime/flow-runtime.ts'

// Running them anywhere: a client starts, workers of any process carry on
export { BatonClient, type ClientOptions } from './client/client.ts'
export type { SlotWait } from './client/slot-wait.ts'
export type { DeadLetterPage, DeadLetterQuery, RunDeadLetter } from './client/dead-letters.ts'
export type { RedriveOptions } from './client/redrive.ts'
export type { StartArguments, StartOptions } from './engine/new-run.ts'
export type { DecisionOptions } from './client/decide.ts'
export { RunHandle, type PauseOptions, type StreamOptions, type UnpauseOptions } from './client/handle.ts'
export type { WaitForResultOptions } from './client/wait-for-end.ts'
export type { PausedResult, RunResult } from './engine/result.ts'
export { InMemoryAdapter, type InMemoryAdapterOptions } from './memory/adapter.ts'
export { InMemoryRunStore, type InMemoryRunStoreOptions } from './memory/run-store.ts'
export { InMemoryJobQueue, type InMemoryJobQueueOptions } from './memory/job-queue.ts'
export { InMemoryCoordinationStore, type InMemoryCoordinationStoreOptions } from './memory/coordination-store.ts'

// What a run is
export type { RunEvent, EventType } from './model/event.ts'
export type {
  ApprovalDecision,
  Checkpoint,
  ChildView,
  DeadLetter,
  InstanceStatus,
  InstanceView,
  Lineage,
  OperatorPause,
  PendingApproval,
  PendingPause,
  PendingWorker,
  RecordedStep,
  RunHead,
  RunMetrics,
  RunRecord,
  RunStatus,
  RunSummary,
  TraceCorrelation,
} from './model/run.ts'
export { isTerminal } from './model/run.ts'
export type { Gate, PendingSlot } from './model/gate.ts'
export type { LimiterView } from './model/limiter.ts'
export type { Waiter } from './model/waiting-line.ts'
export { isTurn, nodeOfInstance, parseRunId, type InstanceId, type NodeId, type RunId } from './model/ids.ts'
export type { JsonObject, JsonValue } from './model/json.ts'
export type { ContextEntry, Delta, DeltaPath } from './model/delta.ts'
export { JsonSerializer } from './context/json-serializer.ts'

// When something goes wrong
export {
  BatonError,
  type ErrorCode,
  type ErrorDetails,
  errors,
  FatalError,
  type RecordedError,
  RetryableError,
} from './model/errors.ts'

// Ports, to name in types, and to check what is handed in as one
export { assertCoordinationStore, assertJobQueue, assertRunStore } from './ports/assert-ports.ts'
export type { IAsyncContext, SetOptions } from './ports/async-context.ts'
export type { IJournalSink, JournalEntry } from './ports/journal-sink.ts'
export type { ExpiryOptions, ICoordinationStore } from './ports/coordination-store.ts'
export type { IJobQueue, Job, JobPayload } from './ports/job-queue.ts'
export type { Durability, IRunStore, RunPage, RunQuery } from './ports/run-store.ts'
export type { WaitingList } from './ports/waiting-lists.ts'
export type { ISerializer } from './ports/serializer.ts'
export { type IClock, systemClock } from './ports/clock.ts'
export { type ILogger, type LogFields, type LogLevel, silentLogger, withFields } from './ports/logger.ts'

// For packages with options of their own: slips are refused everywhere in the same words
export { checkChoice, checkNumber, checkOptions, checkText } from './model/check-options.ts'
