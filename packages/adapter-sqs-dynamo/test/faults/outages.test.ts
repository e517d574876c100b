/** What AWS answers while it is not well, played by a proxy: no server that stands in for it throttles. */
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
})
