/**
 * A worker that is given a coordination store, a registry and blueprints, and a client that is a producer of BullMQ and
 * knows nothing of Baton: what people write who come from a system like this one.
 */
import { randomUUID } from 'node:crypto'
import { BatonClient, type Blueprint, type NodeArguments, parseRunId } from '@baton/core'

import { startRedis } from '@baton/services'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { BullMQAdapter, RedisCoordinationStore, RedisRunStore } from '../src/index.ts'

const redis = await startRedis({ appendOnly: true })
afterAll(() => redis[Symbol.asyncDispose]())

const calls: string[] = []
const agentNodeRegistry = {
  think: ({ nodeId }: NodeArguments) => {
    calls.push(nodeId)
    return { output: 'a plan' }
  },
  act: ({ nodeId, input }: NodeArguments<string>) => {
    calls.push(nodeId)
    return { output: `${input}, carried out` }
  },
}
const blueprints: Record<string, Blueprint> = {
  'my-workflow': {
    id: 'my-workflow',
    nodes: [
      { id: 'my-start-node', uses: 'think' },
      { id: 'my-end-node', uses: 'act' },
    ],
    edges: [{ source: 'my-start-node', target: 'my-end-node' }],
  },
  'two-starts': {
    id: 'two-starts',
    nodes: [
      { id: 'my-start-node', uses: 'think' },
      { id: 'other-start-node', uses: 'think' },
    ],
    edges: [],
  },
}

async function main() {
  const redisConnection = new Redis(redis.url)

  // 1. Create the coordination store using Redis.
  const coordinationStore = new RedisCoordinationStore(redisConnection)

  // 2. Instantiate the adapter.
  const adapter = new BullMQAdapter({
    connection: redisConnection,
    coordinationStore,
    runtimeOptions: {
      registry: agentNodeRegistry,
      blueprints,
    },
  })

  // 3. Start the worker. It will begin listening for jobs.
  adapter.start()

  return async () => {
    await adapter.close()
    await coordinationStore.close()
    redisConnection.disconnect()
  }
}

async function startWorkflow(times = 1, blueprintId = 'my-workflow') {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue('baton', { connection })
  const runId = randomUUID()

  // Analyze the blueprint to find the start node(s).
  const startNodeId = 'my-start-node'

  // Enqueue a job for the first node.
  for (let time = 0; time < times; time++) {
    await queue.add('executeNode', { runId, blueprintId, nodeId: startNodeId })
  }
  await queue.close()
  connection.disconnect()

  return runId
}

/** "Logic to wait for the final result": a run is there from the moment a worker has its job. */
async function finalResult(runId: string): Promise<unknown> {
  const store = new RedisRunStore({ connection: redis.url })
  try {
    await vi.waitUntil(async () => (await store.summary(parseRunId(runId))) !== undefined, { timeout: 10_000 })
    return await new BatonClient({ store }).get(runId).result()
  } finally {
    await store.close()
  }
}

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'a worker and a plain producer', () => {
  it('make a run of a job that holds three ids, and nothing else was stored before', async () => {
    onTestFinished(await main())

    const runId = await startWorkflow()

    expect(await finalResult(runId)).toBe('a plan, carried out')
  })

  it('make one run of the same job sent three times', async () => {
    onTestFinished(await main())
    calls.length = 0

    const runId = await startWorkflow(3)

    expect(await finalResult(runId)).toBe('a plan, carried out')
    expect(calls).toEqual(['my-start-node', 'my-end-node'])
  })

  it('begin at all start nodes with a job for one of them', async () => {
    onTestFinished(await main())
    calls.length = 0

    await startWorkflow(1, 'two-starts')

    // Without waiting for a sweep.
    await vi.waitUntil(() => calls.length === 2, { timeout: 3_000 })
    expect(calls.toSorted()).toEqual(['my-start-node', 'other-start-node'])
  })

  it('wait for each other: what was sent while no worker was up is carried out by the first that comes', async () => {
    const runId = await startWorkflow()

    onTestFinished(await main())

    expect(await finalResult(runId)).toBe('a plan, carried out')
  })
})
