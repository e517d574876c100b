/** What only a store on Redis can get wrong: lost scripts, a server that was set back, long logs, keys left behind. */
import { parseRunId } from '@baton/core'
import { startRedis } from '@baton/services'
import { eventsOf } from '@baton/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RedisRunStore, type RedisRunStoreOptions } from '../src/index.ts'
import { newPrefix } from './redis-world.ts'
import { Hands, RUN } from './runs.ts'
import { Wire } from './wire.ts'

const redis = await startRedis({ appendOnly: true })

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'runs in Redis', () => {
  const prefix = newPrefix()
  const log = `${prefix}:{s0}:run:${RUN}`
  const open: RedisRunStore[] = []
  let client: Redis

  const connect = async (options: Partial<RedisRunStoreOptions> = {}) => {
    const store = await RedisRunStore.connect({ connection: redis.url, prefix, ...options })
    open.push(store)
    return store
  }

  beforeAll(() => {
    client = new Redis(redis.url)
    client.on('error', () => {})
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()))
    await client.flushall()
  })
  afterAll(async () => {
    client.disconnect()
    await redis[Symbol.asyncDispose]()
  })

  it('goes on when the server forgets its scripts', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await hands.create()
    await client.script('FLUSH')
    await hands.line(0, 2)
    await client.script('FLUSH')
    expect((await store.load(RUN))?.instances.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'ready'])
  })

  it('has everything that it confirmed when the server was killed and is back', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await hands.create()
    await hands.line(0, 5, 'value-')
    const before = await eventsOf(store, RUN)
    await redis.kill()
    await expect(store.summary(RUN)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await redis.restart()
    await expect.poll(() => store.summary(RUN).catch(() => undefined), { timeout: 10_000 }).toBeDefined()
    await hands.line(5, 6)
    expect((await eventsOf(await connect(), RUN)).slice(0, before.length)).toEqual(before)
  })

  it('answers a commit again whose answer was cut off', async () => {
    await using wire = await Wire.to(redis.url)
    const store = await connect({ connection: wire.url })
    const hands = new Hands(store)
    await hands.create()
    const { fence } = await hands.claim('n0')
    const transition = {
      runId: RUN,
      instanceId: 'n0',
      fence,
      commitId: 'once',
      outcome: { type: 'succeeded', arrivals: [] },
    } as const
    // Nothing of the claim is under way any more.
    await store.list()
    wire.cutAtNextAnswer()
    await expect(store.commit(transition)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect
      .poll(() => store.commit(transition).catch(() => undefined), { timeout: 10_000 })
      .toMatchObject({ status: 'already-committed' })
    expect((await eventsOf(store, RUN)).filter(({ type }) => type === 'node-succeeded')).toHaveLength(1)
  })

  it('lets go of what it knew when a server was set back and others have written since', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await hands.create()
    const early = await client.lrange(log, 0, -1)
    await hands.line(0, 2, 'lost-')
    // A replica took over that had seen the creation alone, and another worker went on from there.
    await client.del(log)
    await client.rpush(log, ...early)
    const other = await connect()
    await new Hands(other).line(0, 3, 'kept-')

    const outputs = (run: Awaited<ReturnType<typeof store.load>>) => run?.instances.map(({ output }) => output)
    expect(outputs(await store.load(RUN))).toEqual(['kept-0', 'kept-1', 'kept-2', undefined])
    await hands.line(3, 4, 'on-')
    expect(outputs(await other.load(RUN))).toEqual(['kept-0', 'kept-1', 'kept-2', 'on-3', undefined])
  })

  describe('when a server was set back, a follower', () => {
    /** What has been given out so far, and how it ended. */
    const following = (store: RedisRunStore, from = 1) => {
      const seen: string[] = []
      const end = (async () => {
        for await (const { seq, type } of store.journal(RUN, { from, live: true })) seen.push(`${seq} ${type}`)
        return 'over'
      })().catch((error: unknown) => error)
      return { seen, end }
    }
    /** A run that has gone on for two nodes, which will be lost, with a follower who has been told of them. */
    const toBeLost = async (options: { readonly pollMs?: number } = {}) => {
      const store = await connect(options)
      const hands = new Hands(store)
      await hands.create()
      const early = await client.lrange(log, 0, -1)
      await hands.line(0, 2, 'lost-')
      const { seen, end } = following(store)
      await expect.poll(() => seen.length).toBe(5)
      return { store, hands, early, seen, end }
    }
    const setBackTo = async (lines: readonly string[]) => {
      await client
        .multi()
        .del(log)
        .rpush(log, ...lines)
        .exec()
    }

    it('is told that what it was given is gone, though the log is as long by now as the one it knew', async () => {
      const { store, early, seen, end } = await toBeLost({ pollMs: 20 })
      await setBackTo(early)
      await new Hands(await connect()).line(0, 3, 'kept-')

      expect(await end).toMatchObject({ code: 'JOURNAL_REWOUND', retryable: true, runId: RUN })
      expect(seen).toHaveLength(5)
      expect((await eventsOf(store, RUN)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
    })

    it('is told by what its own process writes, at once', async () => {
      const { hands, early, end } = await toBeLost()
      await setBackTo(early)
      await hands.claim('n0')
      expect(await end).toMatchObject({ code: 'JOURNAL_REWOUND' })
    })

    it('goes on where all that it was given is still there', async () => {
      const store = await connect({ pollMs: 20 })
      const hands = new Hands(store)
      await hands.create()
      await hands.line(0, 1)
      const early = await client.lrange(log, 0, -1)
      const { seen, end } = following(store)
      await expect.poll(() => seen.length).toBe(3)
      // A line that says nothing to followers, so that the process knows more than is left.
      await store.redispatch(await store.due({ limit: 10 }))
      expect(await client.llen(log)).toBeGreaterThan(early.length)
      await setBackTo(early)
      const other = new Hands(await connect())
      await other.line(1, 2)
      await other.end('n2')

      expect(await end).toBe('over')
      expect(seen.map((line) => Number.parseInt(line, 10))).toEqual(Array.from(seen, (_, at) => at + 1))
      expect(seen.at(-1)).toMatch('run-completed')
    })

    it('is told where it had asked for what comes after events that may be gone', async () => {
      const store = await connect({ pollMs: 20 })
      const hands = new Hands(store)
      await hands.create()
      const early = await client.lrange(log, 0, -1)
      await hands.line(0, 1)
      const { seen, end } = following(store, 4)
      await expect.poll(() => client.pubsub('NUMSUB', log)).toEqual([log, 1])
      await setBackTo(early)
      expect(await end).toMatchObject({ code: 'JOURNAL_REWOUND' })
      expect(seen).toEqual([])
    })

    it('is told that there is no such run where its creation is lost', async () => {
      const store = await connect({ pollMs: 20 })
      await new Hands(store).create()
      const { seen, end } = following(store)
      await expect.poll(() => seen.length).toBe(1)
      await client.del(log)
      expect(await end).toMatchObject({ code: 'UNKNOWN_RUN' })
    })

    it('sees the end of the run in fewer lines than it knew', async () => {
      const store = await connect()
      const hands = new Hands(store)
      await hands.create()
      const early = await client.lrange(log, 0, -1)
      await hands.line(0, 4)
      const end = store.untilEnd(RUN)
      await expect.poll(() => client.pubsub('NUMSUB', `${log}:end`)).toEqual([`${log}:end`, 1])
      await setBackTo(early)
      await new Hands(await connect()).end('n0')
      expect(await end).toMatchObject({ status: 'completed' })
    })
  })

  it('moves the marks of a run that was set back, though its log has not become longer', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await hands.create()
    const early = await client.lrange(log, 0, -1)
    await hands.line(0, 2)
    // No mark of what is lost waits to be moved.
    await store.list()
    await client.flushall()
    await client.rpush(log, ...early)

    await store.notify({ type: 'cancel', runId: RUN, reason: 'enough' })
    await store.list()
    expect(await client.zcard(`${prefix}:{s0}:ended`)).toBe(1)
    expect(await client.zcard(`${prefix}:{s0}:remind`)).toBe(0)
  })

  it('reads a log of many pages', async () => {
    const hands = new Hands(await connect())
    await hands.create()
    await hands.line(0, 600)
    const other = await connect()
    expect((await eventsOf(other, RUN)).map(({ seq }) => seq)).toEqual(Array.from({ length: 1_201 }, (_, at) => at + 1))
    await new Hands(other).line(600, 601)
  })

  it('finds a run within a reminder whose writer died right after it had written', async () => {
    const redispatchMs = 200
    const hands = new Hands(await connect({ redispatchMs }))
    await hands.create()
    const line = (await client.lrange(log, 0, 0))[0] ?? ''
    // What stays when a process dies between the command and its marks: the log, and the mark that came with it.
    await client.flushall()
    await client.rpush(log, line)
    await client.zadd(`${prefix}:{s0}:remind`, Date.now() + redispatchMs, RUN)

    const other = await connect({ redispatchMs })
    await expect
      .poll(() => other.due({ limit: 10, unsentOnly: true }), { timeout: 5_000 })
      .toMatchObject([{ runId: RUN, instanceId: 'n0' }])
    expect(await other.due({ limit: 10 })).toEqual([])
    expect(await other.due({ limit: 10, runId: RUN })).toMatchObject([{ instanceId: 'n0' }])
  })

  it('keeps no key of a thousand runs that were purged', async () => {
    const store = await connect()
    const hands = new Hands(store)
    const ids = Array.from({ length: 1_000 }, (_, index) => parseRunId(`run-${index}`))
    const keysOf = async () => (await client.keys(`${prefix}*`)).filter((key) => !key.endsWith(':gone')).sort()
    const big = 'x'.repeat(100_000)
    const first = parseRunId('first')
    await hands.create(first)
    await hands.end('n0', first)
    expect(await store.purge({ endedBeforeMs: Date.now() + 60_000 })).toBe(1)
    const baseline = await keysOf()

    await Promise.all(
      ids.map(async (runId, index) => {
        await hands.create(runId)
        const output = index % 100 === 0 ? big : 'small'
        await hands.commit(await hands.claim('n0', runId), { type: 'succeeded', arrivals: [], output })
      }),
    )
    expect((await keysOf()).length).toBeGreaterThan(1_000)
    expect(await store.purge({ endedBeforeMs: Date.now() + 60_000 })).toBe(1_000)
    expect(await keysOf()).toEqual(baseline)
    expect(await client.zcard(`${prefix}:{s0}:gone`)).toBe(1_001)
  })

  it('sends the commits of many runs in few calls', async () => {
    const store = await connect()
    const hands = new Hands(store)
    const ids = Array.from({ length: 200 }, (_, index) => parseRunId(`run-${index}`))
    await Promise.all(ids.map((runId) => hands.create(runId)))
    const claims = await Promise.all(ids.map((runId) => hands.claim('n0', runId)))
    const calls = async () => {
      const stats = await client.info('commandstats')
      return ['eval', 'evalsha'].reduce(
        (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
        0,
      )
    }
    const before = await calls()
    await Promise.all(claims.map((claim) => hands.commit(claim, { type: 'succeeded', arrivals: [] })))
    await store.list()
    expect((await calls()) - before).toBeLessThanOrEqual(10)
  })

  it('fails no other run for a key that somebody else has put under the name of one', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await client.set(log, 'of somebody else')
    const others = ['run-2', 'run-3', 'run-4'].map((id) => parseRunId(id))
    const start = (runId: string) =>
      store.create({ runId: parseRunId(runId), kind: 'workflow', flowId: 'flow', starts: ['n0'] })

    const results = await Promise.allSettled([start(others[0] ?? ''), start(RUN), ...others.slice(1).map(start)])

    expect(results.map((result) => (result.status === 'fulfilled' ? result.value.status : result.reason))).toEqual([
      'created',
      expect.objectContaining({ code: 'STORE_CORRUPT', field: log, hint: expect.stringContaining(log) }),
      'created',
      'created',
    ])
    await Promise.all(others.map((runId) => hands.line(0, 3, 'x', runId)))
    expect(await client.get(log)).toBe('of somebody else')
  })

  it('finds, lists and purges the others where a key of one run is of another type', async () => {
    const store = await connect({ redispatchMs: 100 })
    const [sound, bad] = [parseRunId('sound'), parseRunId('bad')]
    const hands = new Hands(store)
    for (const runId of [sound, bad]) {
      await hands.create(runId)
      await hands.end('n0', runId)
      await hands.create(parseRunId(`${runId}-live`))
    }
    await store.close()
    for (const runId of ['bad', 'bad-live']) {
      await client.del(`${prefix}:{s0}:run:${runId}`)
      await client.set(`${prefix}:{s0}:run:${runId}`, 'of somebody else')
    }

    const fresh = await connect({ redispatchMs: 100 })

    await expect.poll(async () => (await fresh.due({ limit: 10 })).map(({ runId }) => runId)).toEqual(['sound-live'])
    expect((await fresh.list({})).runs.map(({ runId }) => runId)).toEqual(
      expect.arrayContaining(['sound', 'sound-live']),
    )
    expect(await fresh.waitingLists()).toEqual([])
    expect(await fresh.purge({ endedBeforeMs: Date.now() + 60_000 })).toBe(1)
  })

  it.each(['created', 'notes', 'flows', 'due:flow', 'remind'])(
    'has not begun a run that it refused because of %s',
    async (name) => {
      const store = await connect()
      const key = `${prefix}:{s0}:${name}`
      await client.set(key, 'of somebody else')
      const hands = new Hands(store)
      await expect(hands.create()).rejects.toMatchObject({ code: 'STORE_CORRUPT', hint: expect.stringContaining(key) })

      await client.del(key)
      await hands.create()

      expect((await store.due({ limit: 10 })).map(({ runId }) => runId)).toEqual([RUN])
      expect((await store.list({})).runs).toHaveLength(1)
    },
  )

  it('leaves nothing of a run that it refused because of the index of its flow', async () => {
    const store = await connect()
    await client.set(`${prefix}:{s0}:due:flow`, 'of somebody else')
    await expect(new Hands(store).create()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await client.del(`${prefix}:{s0}:due:flow`)

    await store.due({ limit: 10 })

    const kept = await client.keys(`${prefix}:{s0}:*`)
    expect(kept.filter((key) => !key.endsWith(':meta'))).toEqual([])
  })

  it('knows a run that it is just reading, or could not read a moment ago', async () => {
    const hands = new Hands(await connect())
    await hands.create()
    const fresh = await connect()

    const waits = [fresh.untilEnd(RUN), fresh.untilEnd(RUN)]
    await hands.end('n0')

    expect((await Promise.all(waits)).map((summary) => summary?.status)).toEqual(['completed', 'completed'])
  })

  it('tells a journal that was cut off by its end from one that has no more', async () => {
    const store = await connect()
    const hands = new Hands(store)
    await hands.create()
    const live = store.journal(RUN, { live: true })
    expect((await live.next()).value).toMatchObject({ seq: 1 })
    const next = (async () => {
      while ((await live.next()).done !== true) {}
    })()

    await store.close()

    await expect(next).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('refuses a database that the server does not have', async () => {
    const connecting = RedisRunStore.connect({ connection: `${redis.url}/99`, prefix })
    await expect(connecting).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'connection' })
  })

  it('refuses a server that would lose runs, and says how to mend it', async () => {
    await client.config('SET', 'appendonly', 'no')
    try {
      const refused = RedisRunStore.connect({ connection: redis.url, prefix })
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'connection' })
      await expect(refused).rejects.toThrow(/append-only file/)
      const logged: string[] = []
      const logger = { log: (level: string, message: string) => void logged.push(`${level}: ${message}`) }
      const store = await connect({ allowEphemeral: true, logger })
      expect(store.durability).toBe('none')
      expect(logged).toEqual([expect.stringMatching(/^error: runs will be lost/)])
    } finally {
      await client.config('SET', 'appendonly', 'yes')
    }
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    try {
      await expect(RedisRunStore.connect({ connection: redis.url, prefix })).rejects.toThrow(/allkeys-lru/)
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction')
    }
    await client.config('SET', 'appendfsync', 'everysec')
    expect((await connect()).durability).toBe('process')
    await client.config('SET', 'appendfsync', 'always')
    expect((await connect()).durability).toBe('power')
  })

  it('keeps to the number of shards that the store was made with', async () => {
    const first = await connect({ shards: 4 })
    const hands = new Hands(first)
    const ids = Array.from({ length: 20 }, (_, index) => parseRunId(`run-${index}`))
    for (const runId of ids) await hands.create(runId)
    await expect(connect({ shards: 8 })).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'shards' })
    const other = await connect()
    expect((await other.list()).runs).toHaveLength(20)
    expect(await other.due({ limit: 100 })).toHaveLength(20)
  })

  it('throws for a server that is not there, and for one that does not answer', async () => {
    await expect(RedisRunStore.connect({ connection: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('no connection: refused'),
    })
    const store = await connect({ timeoutMs: 200 })
    await new Hands(store).create()
    redis.freeze()
    try {
      await expect(store.summary(RUN)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    } finally {
      redis.thaw()
    }
    await expect.poll(() => store.summary(RUN).catch(() => undefined), { timeout: 5_000 }).toBeDefined()
  })

  it('lets fifty waits of each kind have one signal, without a warning', async () => {
    const store = await connect()
    await new Hands(store).create()
    const warnings: string[] = []
    const note = ({ name }: Error) => void warnings.push(name)
    process.on('warning', note)
    const stop = new AbortController()
    const { signal } = stop
    const fifty = (wait: () => Promise<unknown>) => Promise.all(Array.from({ length: 50 }, wait))
    const waits = [
      fifty(() => store.untilEnd(RUN, signal)),
      fifty(async () => {
        for await (const _ of store.journal(RUN, { live: true, signal }));
      }),
    ]
    await expect.poll(() => client.pubsub('NUMSUB', log, `${log}:end`)).toEqual([log, 1, `${log}:end`, 1])
    stop.abort()
    await Promise.all(waits)
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  it('wakes a thousand followers over one connection', async () => {
    const writer = await connect()
    const hands = new Hands(writer)
    const ids = Array.from({ length: 1_000 }, (_, index) => parseRunId(`run-${index}`))
    await Promise.all(ids.map((runId) => hands.create(runId)))
    const reader = await connect()
    const connections = async () => ((await client.client('LIST')) as string).trim().split('\n').length
    const before = await connections()
    const ends = ids.map(async (runId) => {
      for await (const { type } of reader.journal(runId, { from: 2, live: true })) {
        if (type === 'run-completed') return runId
      }
      return undefined
    })
    await expect
      .poll(async () => client.pubsub('NUMSUB', `${prefix}:{s0}:run:run-999`))
      .toEqual([expect.any(String), 1])
    expect((await connections()) - before).toBe(1)
    await Promise.all(ids.map((runId) => hands.end('n0', runId)))
    expect(await Promise.all(ends)).toEqual(ids)
  })
})
