/** Members of a group that fall silent, or fail: a client that does what a test tells it, since no broker can be told to. */
import { BatonError } from '@baton/core'
import { systemClock, wait } from '@baton/core/adapter'
import { Signal } from '@baton/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IKafkaClient, IKafkaMember, MemberOptions, Offset, OutgoingMessage, Reach } from '../../src/index.ts'
import { KafkaJobQueue, type KafkaJobQueueOptions } from '../../src/index.ts'
import { eventually, job } from './stand.ts'

const TOPIC = 'jobs'
const WAIT_MS = 10
// A machine with other work may well be late by a tenth of a second.
const SILENT_MS = 300

/** One topic of one partition, in which there are messages up to `end`. */
class ToldClient implements IKafkaClient {
  readonly members: ToldMember[] = []
  end = 0
  /** What is sent, is refused with that. */
  refusal: BatonError | undefined
  isAway = false
  sends = 0

  async send(_topic: string, _messages: readonly OutgoingMessage[]): Promise<void> {
    this.sends += 1
    if (this.refusal !== undefined) throw this.refusal
  }

  member(options: MemberOptions): IKafkaMember {
    const member = new ToldMember(options)
    this.members.push(member)
    return member
  }

  async reach(): Promise<ReadonlyMap<number, Reach>> {
    if (this.isAway) throw new BatonError('QUEUE_UNAVAILABLE')
    return new Map([[0, { first: 0, end: this.end }]])
  }

  async committed(): Promise<ReadonlyMap<number, number>> {
    return new Map()
  }

  async createTopics(): Promise<readonly string[]> {
    return []
  }

  async deleteGroup(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Is given the partition as soon as it joins; reads nothing by itself. */
class ToldMember implements IKafkaMember {
  readonly committed: Offset[] = []
  readonly said: string[] = []
  isStopped = false
  readonly #options: MemberOptions
  #asking: NodeJS.Timeout | undefined

  constructor(options: MemberOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.has(0)
  }

  has(...partitions: readonly number[]): void {
    this.#options.events.assigned(partitions.map((partition) => ({ topic: TOPIC, partition })))
  }

  /** As one whose brokers answer. */
  asks(): void {
    this.#asking = setInterval(() => this.#options.events.looked(), WAIT_MS)
  }

  brings(from: number, ...texts: readonly string[]): void {
    const messages = texts.map((text, index) => ({ offset: from + index, key: '', text, headers: {} }))
    this.#options.events.received({ topic: TOPIC, partition: 0 }, messages)
  }

  changes(): void {
    this.#options.events.changing()
  }

  fails(error: unknown): void {
    this.#options.events.failed(error)
  }

  pause(): void {
    this.said.push('pause')
  }

  resume(): void {
    this.said.push('resume')
  }

  async commit(offsets: readonly Offset[]): Promise<void> {
    this.committed.push(...offsets)
  }

  async stop(): Promise<void> {
    clearInterval(this.#asking)
    this.isStopped = true
  }
}

describe('a member of the group', () => {
  let client: ToldClient
  let queue: KafkaJobQueue
  let delivered: string[]
  let reasons: unknown[]
  let slowEnds: Signal
  beforeEach(() => {
    slowEnds = new Signal()
    client = new ToldClient()
    delivered = []
    reasons = []
    queue = consuming()
  })
  afterEach(() => queue.close())

  function consuming(options: Partial<KafkaJobQueueOptions> = {}): KafkaJobQueue {
    const queue = new KafkaJobQueue({
      client,
      topic: TOPIC,
      deadLetterTopic: `${TOPIC}-dead`,
      heartbeatMs: 10,
      waitMs: WAIT_MS,
      commitMs: 10,
      silentMs: SILENT_MS,
      logger: { log: (level, _message, fields) => void (level === 'warn' && reasons.push(fields.error)) },
      ...options,
    })
    void queue.consume(
      async (delivery) => {
        const { nodeId } = delivery.job
        delivered.push(nodeId)
        if (nodeId === 'slow') await slowEnds.wait()
        if (nodeId === 'later') await delivery.handBack({ delayMs: 1_000 })
        else await delivery.acknowledge()
      },
      { concurrency: 1, signal: new AbortController().signal },
    )
    return queue
  }

  async function consumeWith(options: Partial<KafkaJobQueueOptions>): Promise<ToldMember> {
    await queue.close()
    client.members.length = 0
    queue = consuming(options)
    return member(0)
  }

  async function member(index: number): Promise<ToldMember> {
    await eventually(() => client.members.length).toBeGreaterThan(index)
    return client.members[index] as ToldMember
  }

  const text = (nodeId: string) => JSON.stringify(job(nodeId))

  it('that reads nothing although there is something is made anew, and the new one is left alone', async () => {
    client.end = 2
    const first = await member(0)
    first.asks()

    const second = await member(1)
    second.asks()
    second.brings(0, text('a'), text('b'))
    await wait(systemClock, 5 * SILENT_MS)

    expect(first.isStopped).toBe(true)
    expect(delivered).toEqual(['a', 'b'])
    expect(second.committed.at(-1)?.offset).toBe(2)
    expect(client.members).toHaveLength(2)
    expect(reasons).toEqual([expect.stringContaining('has fallen silent: it has not read what is in jobs/0')])
  })

  it('that does not even ask is made anew', async () => {
    const first = await member(0)
    const second = await member(1)
    second.asks()
    await wait(systemClock, 5 * SILENT_MS)

    expect([first.isStopped, second.isStopped]).toEqual([true, false])
    expect(reasons).toEqual([expect.stringContaining('has fallen silent: it has not asked for anything')])
  })

  it('that fails is followed by another, who reads what it did not', async () => {
    const first = await member(0)
    first.asks()
    first.brings(0, text('a'))
    await eventually(() => first.committed.at(-1)?.offset).toBe(1)
    first.fails(new Error('thrown out'))
    const second = await member(1)
    second.asks()
    second.brings(1, text('b'))
    await eventually(() => second.committed.at(-1)?.offset).toBe(2)

    expect(first.isStopped).toBe(true)
    expect(delivered).toEqual(['a', 'b'])
    expect(reasons).toEqual([expect.stringContaining('thrown out')])
  })

  it('commits what was done while there was none, although nothing more is to be done', async () => {
    const first = await member(0)
    first.asks()
    first.brings(0, text('slow'))
    await eventually(() => delivered).toEqual(['slow'])
    first.fails(new Error('thrown out'))
    await eventually(() => first.isStopped).toBe(true)
    slowEnds.fire()
    const second = await member(1)
    second.asks()

    await eventually(() => second.committed.at(-1)?.offset).toBe(1)
  })

  it('hears in time that others come or go, and commits before that what is done', async () => {
    const only = await consumeWith({ commitMs: 60_000 })
    only.asks()
    only.brings(0, text('a'))
    await eventually(() => delivered).toEqual(['a'])
    await wait(systemClock, 50)
    expect(only.committed).toEqual([])

    only.changes()

    await eventually(() => only.committed.at(-1)?.offset).toBe(1)
  })

  it('goes on with jobs while what is no job cannot be put away, and says so once', async () => {
    client.refusal = new BatonError('QUEUE_UNAVAILABLE', { message: 'away' })
    const first = await member(0)
    first.asks()
    first.brings(0, 'no job', 'no job either', text('a'))

    await eventually(() => delivered).toEqual(['a'])
    await wait(systemClock, 50)
    expect(reasons).toEqual([expect.stringContaining('away')])
    expect(first.committed).toEqual([])
    client.refusal = undefined
    await eventually(() => first.committed.at(-1)?.offset).toBe(3)
  })

  it('reads no further than it keeps of what is to come later, until that has come', async () => {
    const only = await consumeWith({ mostWaiting: 4 })
    only.asks()
    only.brings(0, ...Array.from({ length: 3 }, () => text('later')))
    await eventually(() => delivered.length).toBe(3)
    expect(only.said).toEqual([])
    only.brings(3, text('later'))
    await eventually(() => delivered.length).toBe(4)

    await eventually(() => only.said).toEqual(['pause'])
    await eventually(() => only.said).toEqual(['pause', 'resume'])
  })

  it('that gets a partition back leaves out what it did, and not what it had put aside for others', async () => {
    const first = await member(0)
    first.asks()
    first.brings(0, text('a'), text('later'), text('b'))
    await eventually(() => delivered).toEqual(['a', 'later', 'b'])
    await eventually(() => first.committed.at(-1)?.offset).toBe(1)
    first.has()
    await wait(systemClock, 1_500)

    first.has(0)
    first.brings(1, text('later'), text('b'))

    await eventually(() => delivered).toEqual(['a', 'later', 'b', 'later'])
  })

  it('that fails as soon as it has joined is made anew later each time', async () => {
    for (let index = 0; index < 5; index++) (await member(index)).fails(new Error('cannot read that'))
    const startedAtMs = performance.now()
    await member(5)

    // The sixth comes at least 100 * 2 ** 4 / 2 ms after the fifth.
    expect(performance.now() - startedAtMs).toBeGreaterThan(600)
    expect(reasons).toHaveLength(1)
  })

  it('that is given again what it had, although the group has not changed, is made anew, and loses nothing', async () => {
    const first = await member(0)
    first.asks()
    first.brings(5, text('slow'), text('a'))
    await eventually(() => delivered).toEqual(['slow'])
    first.brings(5, text('slow'), text('a'))
    const second = await member(1)
    second.asks()
    second.brings(5, text('slow'), text('a'))
    slowEnds.fire()

    await eventually(() => second.committed.at(-1)?.offset).toBe(7)
    expect(delivered).toEqual(['slow', 'a'])
    expect(reasons).toEqual([expect.stringContaining('jobs/0 was read from further back')])
  })

  it('leaves nothing behind that waits, when the queue is closed while there is none', async () => {
    const first = await member(0)
    first.asks()
    first.brings(0, text('later'))
    await eventually(() => delivered).toEqual(['later'])
    client.isAway = true
    client.refusal = new BatonError('QUEUE_UNAVAILABLE', { message: 'away' })
    first.fails(new Error('thrown out'))
    await eventually(() => client.sends).toBeGreaterThan(0)
    await queue.close()
    const before = client.sends
    await wait(systemClock, 1_500)

    expect(client.sends).toBe(before)
  })

  it('commits past what is no job and larger than the dead letter topic takes', async () => {
    client.refusal = new BatonError('TOO_LARGE', { message: 'larger than that' })
    const first = await member(0)
    first.asks()
    first.brings(0, 'no job')

    await eventually(() => first.committed.at(-1)?.offset).toBe(1)
  })
})
