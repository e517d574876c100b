export { RedisService, type RedisOptions, startRedis } from './redis.ts'
export { isOnPath, whatToType } from './wanted.ts'
