export type { RedisConnection, RedisRunStoreOptions } from './options.ts'
export { RedisRunStore } from './run-store.ts'
