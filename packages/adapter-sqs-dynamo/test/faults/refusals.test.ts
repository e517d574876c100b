/** What AWS refuses to who asks: told at once with what to do about it, and not asked for ever. */
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type LogFields, parseJob } from '@baton/core/adapter'
import { afterAll, describe, expect, it } from 'vitest'
import { DynamoCoordinationStore, DynamoRunStore, SqsJobQueue } from '../../src/index.ts'
import { newPrefix } from '../dynamo-world.ts'
import { dynamoAnswers, sqsAnswers } from './answers.ts'
import { FaultProxy } from './proxy.ts'
import { NODES, ONCE, Stand, startServers } from './stand.ts'

const servers = await startServers()
afterAll(() => servers[Symbol.asyncDispose]())
const { skipReason } = servers

const job = parseJob({ runId: 'run', blueprintId: 'flow', nodeId: 'a', instanceId: 'a', dispatch: 0 })

describe.skipIf(skipReason !== undefined)(skipReason ?? 'who connects', () => {
  it.each([
    ['ResourceNotFoundException', 'table', /region/],
    ['UnrecognizedClientException', 'client', /credentials/],
    ['InvalidSignatureException', 'client', /region/],
    ['AccessDeniedException', 'client', /policy/],
  ] as const)('is told what to do by a store that is answered %s, with one request', async (code, field, hint) => {
    await using proxy = await FaultProxy.before(servers.dynamo)
    proxy.mischief = () => ({ type: 'answer', answer: dynamoAnswers[code]() })
    const client = proxy.clientOptions

    const expected = { code: 'INVALID_OPTION', field, hint: expect.stringMatching(hint) }
    await expect(DynamoRunStore.connect({ client })).rejects.toMatchObject(expected)
    expect(proxy.times()).toBe(1)
    await using locks = {
      store: new DynamoCoordinationStore({ client }),
      [Symbol.asyncDispose]: () => locks.store.close(),
    }
    await expect(locks.store.get('key')).rejects.toMatchObject(expected)
    expect(proxy.times()).toBe(2)
  })

  it.each([
    ['QueueDoesNotExist', 'queue', /region/],
    ['UnrecognizedClientException', 'client', /credentials/],
    ['AccessDeniedException', 'client', /policy/],
  ] as const)('is told what to do by a queue that is answered %s, with one request', async (code, field, hint) => {
    await using proxy = await FaultProxy.before(servers.sqs)
    proxy.mischief = () => ({ type: 'answer', answer: sqsAnswers[code]() })
    const queue = new SqsJobQueue({ queue: 'baton', client: proxy.clientOptions })

    await expect(queue.enqueue([job])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field,
      hint: expect.stringMatching(hint),
    })

    expect(proxy.times()).toBe(1)
    await queue.close()
  })

  it('is told of a table and of a queue that are not there', async () => {
    const table = newPrefix()
    const queue = new SqsJobQueue({ queue: table, client: servers.sqs.clientOptions })

    await expect(DynamoRunStore.connect({ table, client: servers.dynamo.clientOptions })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'table',
      hint: expect.stringContaining('ensureInfrastructure'),
    })
    await expect(queue.enqueue([job])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'queue',
      hint: expect.stringContaining('ensureInfrastructure'),
    })
    await queue.close()
  })
})

const RUNS = 5
const WHILE_MS = 3_000
const WITHIN_A_LEASE_MS = 700

describe.skipIf(skipReason !== undefined)(skipReason ?? 'a worker', { timeout: 60_000 }, () => {
  it.each(['AccessDeniedException', 'UnrecognizedClientException', 'ResourceNotFoundException'] as const)(
    'that is answered %s by DynamoDB for a while does not spin, says what to do, and goes on when it is over',
    async (code) => {
      await using stand = await Stand.on(servers)
      const runs = await stand.start(RUNS)
      stand.adapter.start()
      await expect.poll(() => stand.dynamo.times('UpdateItem'), { interval: 5 }).toBeGreaterThan(5)

      const atMs = performance.now()
      stand.dynamo.mischief = () => ({ type: 'answer', answer: dynamoAnswers[code]() })
      await new Promise((resolve) => setTimeout(resolve, WHILE_MS))
      stand.dynamo.mischief = undefined

      expect(stand.dynamo.times(undefined, atMs)).toBeLessThan(300)
      expect(stand.logged.filter(({ level, fields }) => level !== 'debug' && sayWhatToDo(fields))).not.toHaveLength(0)
      expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
    },
  )

  it.each(['AccessDeniedException', 'UnrecognizedClientException', 'ResourceNotFoundException'] as const)(
    'that is answered %s by DynamoDB for less than a lease executes no node again',
    async (code) => {
      await using stand = await Stand.on(servers)
      const runs = await stand.start(RUNS)
      stand.adapter.start()
      await expect.poll(() => stand.dynamo.times('UpdateItem'), { interval: 5 }).toBeGreaterThan(5)

      stand.dynamo.mischief = () => ({ type: 'answer', answer: dynamoAnswers[code]() })
      await new Promise((resolve) => setTimeout(resolve, WITHIN_A_LEASE_MS))
      stand.dynamo.mischief = undefined

      expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
      expect(stand.executions.count).toBe(RUNS * NODES)
    },
  )

  it('whose credentials cannot be fetched for less than a lease executes no node again', async () => {
    let areThere = true
    const credentials = async () => {
      // As the client's own providers say it.
      if (!areThere) throw Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' })
      return { accessKeyId: 'baton', secretAccessKey: 'baton', expiration: new Date(Date.now() + 1) }
    }
    await using stand = await Stand.on(servers, {}, { credentials })
    const runs = await stand.start(RUNS)
    stand.adapter.start()
    await expect.poll(() => stand.dynamo.times('UpdateItem'), { interval: 5 }).toBeGreaterThan(5)

    areThere = false
    await new Promise((resolve) => setTimeout(resolve, WITHIN_A_LEASE_MS))
    areThere = true

    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
    expect(stand.executions.count).toBe(RUNS * NODES)
  })

  it.each(['AccessDeniedException', 'UnrecognizedClientException', 'QueueDoesNotExist'] as const)(
    'that is answered %s by SQS for a while does not spin, says what to do, and goes on all the time',
    async (code) => {
      await using stand = await Stand.on(servers)
      stand.sqs.mischief = () => ({ type: 'answer', answer: sqsAnswers[code]() })
      const atMs = performance.now()
      stand.adapter.start()
      const runs = await stand.start(RUNS)

      expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
      const seconds = (performance.now() - atMs) / 1_000
      expect(stand.sqs.times(undefined, atMs)).toBeLessThan(40 + 10 * seconds)
      const [line] = stand.lines('the job queue failed, will look again', 'warn')
      expect(line?.fields.hint).toEqual(expect.any(String))
    },
  )

  it('finds a queue that is made while it looks for it', async () => {
    await using stand = await Stand.on(servers, { queueName: newPrefix() })
    stand.adapter.start()
    await expect.poll(() => stand.lines('the job queue failed, will look again').length).toBeGreaterThan(1)
    const { QueueName } = JSON.parse(stand.sqs.asked[0]?.body ?? '{}') as { readonly QueueName: string }

    const client = new SQSClient(servers.sqs.clientOptions)
    await client.send(new CreateQueueCommand({ QueueName }))

    await expect.poll(() => stand.lines('the job queue is back').length, { timeout: 20_000 }).toBe(1)
    client.destroy()
  })
})

function sayWhatToDo({ hint, error }: LogFields): boolean {
  return typeof hint === 'string' || typeof (error as { readonly hint?: unknown } | undefined)?.hint === 'string'
}
