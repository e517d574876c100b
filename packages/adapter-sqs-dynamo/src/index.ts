export { SqsAdapter, type SqsAdapterOptions } from './adapter.ts'
export { DynamoCoordinationStore } from './coordination-store.ts'
export type { DynamoCoordinationStoreOptions } from './coordination-store-options.ts'
export { SqsJobQueue } from './job-queue.ts'
export type { DeadLetter } from './job-queue/dead-letters.ts'
export type { SqsJobQueueOptions } from './job-queue-options.ts'
export { tableDefinition } from './table.ts'
export { DynamoRunStore } from './run-store.ts'
export type { DynamoRunStoreOptions } from './run-store-options.ts'
export type { IValueStore } from './run-store/values.ts'
export {
  createLambdaHandler,
  type LambdaContext,
  type LambdaEvent,
  type LambdaHandlerOptions,
  type LambdaResponse,
  type LambdaSettings,
} from './lambda-handler.ts'
export type { LambdaSqsRecord } from './lambda-delivery.ts'
export { ensureInfrastructure, type Infrastructure, type QueueFound } from './infrastructure.ts'
export type { InfrastructureOptions } from './infrastructure-options.ts'
