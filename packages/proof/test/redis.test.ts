import { startRedis } from '@baton/services'
import { afterAll, describe } from 'vitest'
import { redisSubject } from '../src/index.ts'
import { runScenarios } from './run-scenarios.ts'

const settings = { appendfsync: 'everysec' }
const server = await startRedis({ appendOnly: true, settings })
const cluster = await startRedis({ appendOnly: true, cluster: 3, settings })
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

describe.skipIf(server.skipReason !== undefined)(server.skipReason ?? 'a real Redis', () => {
  runScenarios(redisSubject(...server.ports))
})

describe.skipIf(cluster.skipReason !== undefined)(cluster.skipReason ?? 'a real cluster of three', () => {
  runScenarios(redisSubject(...cluster.ports))
})
