import { startRedis } from '@baton/services'
import { afterAll, describe } from 'vitest'
import { redisSubject } from '../src/index.ts'
import { runScenarios } from './run-scenarios.ts'

const redis = await startRedis({ appendOnly: true, settings: { appendfsync: 'everysec' } })
afterAll(() => redis[Symbol.asyncDispose]())

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'a real Redis', () => {
  runScenarios(redisSubject(redis.skipReason === undefined ? redis.url : ''))
})
