export type { RedisSource } from './connection.ts'
export { RedisCoordinationStore } from './coordination-store.ts'
export { BullMQJobQueue, type DeadLetter } from './job-queue.ts'
export type { BullMQJobQueueOptions, RedisCoordinationStoreOptions } from './options.ts'
