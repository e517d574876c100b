/** Requests and answers that are lost on their way, or late: each commit takes effect once, whoever asks again. */
import { BatonClient, BatonError } from '@baton/core'
import { afterAll, describe, expect, it } from 'vitest'
import type { Fault, Mischief } from './proxy.ts'
import { ONCE, Stand, startServers } from './stand.ts'

const servers = await startServers()
afterAll(() => servers[Symbol.asyncDispose]())
const { skipReason } = servers

const RUNS = 5

/** At random: what happens with every third request happens to some and never to others. */
function oneIn(count: number, fault: Fault): Mischief {
  let seed = 7
  return () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32
    return seed / 2 ** 32 < 1 / count ? fault : undefined
  }
}

/** The stand waits for an answer for a second. */
const FAULTS = [
  ['is lost', { type: 'lost-answer' }],
  ['is not given, for the request was lost', { type: 'lost-request' }],
  ['is later than anybody waits', { type: 'slow-answer', ms: 1_300 }],
  ['takes its time', { type: 'slow-answer', ms: 300 }],
] as const satisfies readonly (readonly [string, Fault])[]

const TITLE = 'each commit takes effect once'

describe.skipIf(skipReason !== undefined)(skipReason ?? TITLE, { timeout: 60_000 }, () => {
  it.each(FAULTS)('where one answer of DynamoDB in four %s, and its client asks again', async (_title, fault) => {
    await using stand = await Stand.on(servers)
    stand.dynamo.mischief = oneIn(4, fault)
    stand.adapter.start()

    await startThere(stand)

    const { runs } = await stand.direct.list()
    expect(runs).toHaveLength(RUNS)
    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
  })

  it.each(FAULTS)('where one answer of DynamoDB in four %s, and nobody but us asks again', async (_title, fault) => {
    await using stand = await Stand.on(servers, {}, { maxAttempts: 1 })
    stand.dynamo.mischief = oneIn(4, fault)
    stand.adapter.start()

    await startThere(stand)

    const { runs } = await stand.direct.list()
    expect(runs).toHaveLength(RUNS)
    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
  })

  it.each(FAULTS)('where one answer of SQS in four %s', async (_title, fault) => {
    await using stand = await Stand.on(servers)
    stand.sqs.mischief = oneIn(4, fault)
    stand.adapter.start()

    const runs = await stand.start(RUNS)

    expect(await stand.counted(runs)).toEqual(runs.map(() => ONCE))
  })
})

/** Through the proxy, as somebody does who does not give up: the same is asked again under the same id. */
async function startThere({ adapter: { store, queue }, flow }: Stand): Promise<void> {
  const baton = new BatonClient({ store, queue, flows: [flow] })
  const start = async (index: number) => {
    for (;;) {
      try {
        return await baton.start(flow, index, { runId: `run-${index}` })
      } catch (error) {
        if (!BatonError.is(error, 'STORE_UNAVAILABLE')) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: RUNS }, (_, index) => start(index)))
}
