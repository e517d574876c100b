/** A user of Redis that may do what the guide says, or less. */
import { readFileSync } from 'node:fs'
import { BatonClient, createFlow, type NodeArguments } from '@baton/core'
import { startRedis } from '@baton/services'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BullMQAdapter, BullMQJobQueue, lookAtRedis, RedisCoordinationStore, RedisRunStore } from '../src/index.ts'
import { eventually, job, Stand } from './job-queue/stand.ts'
import { RUN } from './runs.ts'

const redis = await startRedis({ appendOnly: true })
const guide = readFileSync(new URL('../../../docs/guides/redis.md', import.meta.url), 'utf8')
const rule = /^ACL SETUSER baton (.*)$/m.exec(guide)?.[1]?.split(' ') ?? []

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'a user of an ACL', () => {
  let admin: Redis
  let connection: string
  const allow = (...rights: readonly string[]) => admin.acl('SETUSER', 'baton', ...rights)

  beforeAll(() => {
    admin = new Redis(redis.url)
    connection = redis.url.replace('//', '//baton:secret@')
  })
  afterEach(async () => {
    await admin.acl('DELUSER', 'baton')
    await admin.flushall()
  })
  afterAll(async () => {
    admin.disconnect()
    await redis[Symbol.asyncDispose]()
  })

  it('needs no more than the guide says', async () => {
    await allow(...rule)
    const flow = createFlow<number>('wide')
      .node('list', () => ({ output: Array.from({ length: 40 }, (_, index) => index) }))
      .node(
        'map',
        async ({ input, context }: NodeArguments) => {
          await context.set(`seen-${input}`, 'x'.repeat(40_000))
          return { output: input }
        },
        { map: {} },
      )
      .node('wait', async ({ waitForSignal }: NodeArguments) => ({ output: await waitForSignal('go') }))
      .edge('list', 'map')
      .edge('map', 'wait')
    await using adapter = new BullMQAdapter({
      connection,
      runtimeOptions: { flows: [flow] },
      concurrency: 4,
      sweepMs: 100,
    })
    adapter.start()
    const { store, queue, coordinationStore } = adapter
    const run = await new BatonClient({ store, queue, flows: [flow] }).start('wide', 1)

    await run.signal('go', 'on')

    expect(await run.result()).toBe('on')
    expect(await coordinationStore.increment('count')).toBe(1)
    expect(await store.purge({ endedBeforeMs: Date.now() + 60_000, limit: 10 })).toBe(1)
    const [reply] = (await admin.call('ACL', 'LOG')) as readonly unknown[]
    expect(reply).toBeUndefined()
  })

  it('is refused at the start where it has no channels', async () => {
    await allow(...rule, 'resetchannels')
    const expected = {
      code: 'INVALID_OPTION',
      retryable: false,
      hint: expect.stringContaining(rule.slice(2).join(' ')),
    }

    await expect(RedisRunStore.connect({ connection })).rejects.toMatchObject(expected)
    await expect(lookAtRedis({ connection })).rejects.toMatchObject(expected)
  })

  it('is refused at the start where it may speak and not listen', async () => {
    await allow(...rule, '-subscribe')

    await expect(RedisRunStore.connect({ connection })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('subscribe'),
    })
  })

  it.each([
    ['-evalsha', '-eval'],
    ['resetkeys', '~bull:*'],
  ])('is told what it lacks, and is not asked to try again: %s %s', async (...lack) => {
    await allow(...rule)
    const store = await RedisRunStore.connect({ connection })
    const locks = new RedisCoordinationStore(connection)
    await allow(...lack)

    for (const call of [
      () => store.create({ runId: RUN, kind: 'workflow', flowId: 'flow', starts: ['a'] }),
      () => locks.increment('count'),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        field: 'connection',
        message: expect.stringContaining('NOPERM'),
        hint: expect.stringContaining('ACL SETUSER'),
      })
    }
    await store.close()
    await locks.close()
  })

  it('is told so by the queue, to who sends and in the log of who takes', async () => {
    await allow(...rule, 'resetkeys', '~baton:*')
    await using stand = new Stand(connection)
    const queue = stand.open({ prefix: 'bull', timeoutMs: 1_000 })
    stand.consume(queue)

    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      hint: expect.stringContaining('~bull:*'),
    })
    await eventually(() => stand.logged.find((line) => /^warn.*ACL SETUSER/.test(line))).toBeDefined()
  })

  it.each(['//', '//baton:wrong@'])('that is not let in is told so by store and queue: %s', async (who) => {
    await allow(...rule)
    await admin.acl('SETUSER', 'default', 'off')
    const url = redis.url.replace('//', who)
    const queue = new BullMQJobQueue({ connection: url, timeoutMs: 1_000 })
    try {
      const expected = { code: 'INVALID_OPTION', message: expect.stringMatching(/NOAUTH|WRONGPASS/) }
      await expect(RedisRunStore.connect({ connection: url })).rejects.toMatchObject(expected)
      await expect(queue.enqueue([job('a')])).rejects.toMatchObject(expected)
    } finally {
      await queue.close()
      await admin.acl('SETUSER', 'default', 'on')
    }
  })
})
