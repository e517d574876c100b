/** What AWS answers while it is not well, played by a proxy: no server that stands in for it throttles. */
import { BatonClient, createFlow, parseRunId } from '@baton/core'
import { afterAll, describe, expect, it } from 'vitest'
import { type AwsAnswer, dynamoAnswers, sqsAnswers } from './answers.ts'
import type { FaultProxy } from './proxy.ts'
import { ONCE, Stand, startServers } from './stand.ts'

const servers = await startServers()
afterAll(() => servers[Symbol.asyncDispose]())

const RUNS = 5
/** A minute, at the pace of the stand: what waits for five seconds there waits for a third of one here. */
const MINUTE_MS = 4_000
/** Whoever spins asks thousands of times. */
const MOST_PER_MINUTE = 400

/** @returns how often it was asked */
async function forAMinute(proxy: FaultProxy, answer: () => AwsAnswer): Promise<number> {
  const atMs = performance.now()
  proxy.mischief = () => ({ type: 'answer', answer: answer() })
  await new Promise((resolve) => setTimeout(resolve, MINUTE_MS))
  proxy.mischief = undefined
  return proxy.times(undefined, atMs)
}

const copying = createFlow<string>('copying').node('a', ({ input }) => ({ output: input }))

/** One after the other. */
function inTurn(answers: Readonly<Record<string, () => AwsAnswer>>, codes: readonly string[]): () => AwsAnswer {
  let times = 0
  return () => (answers[codes[times++ % codes.length] ?? ''] as () => AwsAnswer)()
}

describe.skipIf(servers.skipReason !== undefined)(servers.skipReason ?? 'a worker', { timeout: 60_000 }, () => {
  it.each([
    [['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'], 120],
    [['InternalServerError', 'ServiceUnavailable'], MOST_PER_MINUTE],
    [['ExpiredTokenException'], MOST_PER_MINUTE],
  ])('bears a minute of %s of DynamoDB, asks seldom, and loses nothing', async (codes, most) => {
    await using stand = await Stand.on(servers)
    const runs = await stand.start(RUNS)
    stand.adapter.start()
    await expect.poll(() => stand.dynamo.times('UpdateItem'), { interval: 5 }).toBeGreaterThan(5)

    const asked = await forAMinute(stand.dynamo, inTurn(dynamoAnswers, codes))

    expect(asked).toBeLessThan(most)
    expect(asked).toBeGreaterThan(0)
    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
  })

  it.each([
    [['ThrottlingException', 'RequestThrottled']],
    [['InternalFailure', 'ServiceUnavailable']],
    [['ExpiredTokenException']],
  ])('bears a minute of %s of SQS, asks seldom, and carries all runs on', async (codes) => {
    await using stand = await Stand.on(servers)
    stand.adapter.start()
    const before = await stand.start(RUNS)

    const minute = forAMinute(stand.sqs, inTurn(sqsAnswers, codes))
    const meanwhile = await stand.start(RUNS)
    const asked = await minute

    expect(asked).toBeLessThan(120)
    const runs = [...before, ...meanwhile, ...(await stand.start(RUNS))]
    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
    expect(stand.lines('the job queue failed, will look again', 'warn').length).toBeLessThanOrEqual(2)
  })

  it('writes and reads the rest of a batch of which DynamoDB has left some', async () => {
    await using stand = await Stand.on(servers)
    stand.dynamo.mischief = ({ operation }) => (operation.startsWith('Batch') ? { type: 'partly' } : undefined)
    const { store, queue } = stand.adapter
    const baton = new BatonClient({ store, queue, flows: [copying] })
    const text = 'large'.repeat(250_000)

    for (let times = 0; times < 3; times++) await baton.start(copying, text, { runId: `run-${times}` })

    expect(stand.dynamo.times('BatchWriteItem')).toBeGreaterThanOrEqual(9)
    expect(JSON.stringify(await stand.direct.load(parseRunId('run-1')))).toContain(text)
    expect((await store.list()).runs).toHaveLength(3)
    expect(stand.dynamo.times('BatchGetItem')).toBeGreaterThanOrEqual(3)
  })
})
