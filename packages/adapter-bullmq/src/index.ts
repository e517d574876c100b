export { RedisCoordinationStore } from './coordination-store.ts'
export type { RedisSource } from './connection.ts'
export type { RedisCoordinationStoreOptions } from './options.ts'
