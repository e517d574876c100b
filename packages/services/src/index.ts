export { RedisService, type RedisOptions, startRedis } from './redis.ts'
