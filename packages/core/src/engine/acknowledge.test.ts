/** When the job of a node is answered. */
import { afterEach, describe, expect, it } from 'vitest'
import { BatonClient } from '../client/client.ts'
import { createFlow } from '../flow/create-flow.ts'
import { InMemoryAdapter } from '../memory/adapter.ts'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import type { Acknowledge, ConsumeOptions, Delivery } from '../ports/job-queue.ts'

/** Notes what is answered. */
class WatchedQueue extends InMemoryJobQueue {
  readonly answered: string[] = []
  readonly acknowledge: Acknowledge

  constructor(acknowledge: Acknowledge) {
    super()
    this.acknowledge = acknowledge
  }

  override consume(handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<void> {
    const watched = (delivery: Delivery) => {
      const acknowledge = () => {
        this.answered.push(delivery.job.nodeId)
        return delivery.acknowledge()
      }
      return handler({
        job: delivery.job,
        redelivered: delivery.redelivered,
        acknowledge,
        handBack: (how) => delivery.handBack(how),
        extend: (how) => delivery.extend(how),
        deadLetter: (reason) => delivery.deadLetter(reason),
      })
    }
    return super.consume(watched, options)
  }
}

let adapter: InMemoryAdapter | undefined
afterEach(() => adapter?.close())

/** @returns whether its job had been answered by the time it ran */
async function isAnsweredEarly(
  acknowledge: Acknowledge | undefined,
  timeoutMs?: number,
  ofQueue: Acknowledge = 'commit',
): Promise<boolean> {
  const queue = new WatchedQueue(ofQueue)
  let early = false
  const note = () => {
    early = queue.answered.includes('node')
  }
  const flow = createFlow('flow').node('node', note, timeoutMs === undefined ? {} : { timeoutMs })
  adapter = new InMemoryAdapter({
    queue,
    ...(acknowledge === undefined ? {} : { acknowledge }),
    fanOut: 'queue',
    runtimeOptions: { flows: [flow] },
  })
  const client = new BatonClient({ store: adapter.store, queue, flows: [flow] })
  const run = await client.start('flow')
  adapter.start()
  await run.result()
  return early
}

describe('A job is answered', () => {
  it.each([
    ['commit', 600_000, false],
    ['claim', 1_000, true],
    [{ claimFromMs: 600_000 }, 600_000, true],
    [{ claimFromMs: 600_000 }, 599_999, false],
    // The default of a node.
    [{ claimFromMs: 300_001 }, undefined, false],
    [{ claimFromMs: 300_000 }, undefined, true],
  ] as const)('with %j, for a node of %s ms: at its claim %s', async (acknowledge, timeoutMs, expected) => {
    expect(await isAnsweredEarly(acknowledge, timeoutMs)).toBe(expected)
  })

  it('as suits the queue, unless the worker is told otherwise', async () => {
    expect(await isAnsweredEarly(undefined, 1_000, 'claim')).toBe(true)
    expect(await isAnsweredEarly('commit', 1_000, 'claim')).toBe(false)
    expect(await isAnsweredEarly('claim', 1_000, 'commit')).toBe(true)
  })

  it.each([
    ['later', 'acknowledge'],
    [{}, 'acknowledge.claimFromMs'],
    [{ claimFromMs: -1 }, 'acknowledge.claimFromMs'],
    [{ claimFromMs: 1, more: 1 }, 'acknowledge'],
  ])('and not with %j', (acknowledge, field) => {
    const make = () => new InMemoryAdapter({ acknowledge: acknowledge as Acknowledge, runtimeOptions: {} })
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field: expect.stringContaining(field) }))
  })
})
