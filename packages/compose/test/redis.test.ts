/** The ports that a `redis:` URL names, on a real server and on a real cluster. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BatonClient, createFlow, FlowRuntime } from '@baton/core'
import { type RedisService, startRedis } from '@baton/services'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Ports } from '../src/backends/backend.ts'
import { checkPorts, openPorts } from '../src/open-ports.ts'

const greet = createFlow<string>('greet').node('greet', ({ input }) => ({ output: `Hello, ${input}` }))

const server = await startRedis({ appendOnly: true })
const guarded = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'everysec', requirepass: 'sec/ret' } })
const cluster = await startRedis({ cluster: 3 })
afterAll(async () => {
  for (const each of [server, guarded, cluster]) await each[Symbol.asyncDispose]()
})

const newPrefix = () => `t-${randomUUID().slice(0, 8)}`
const hostsOf = ({ ports }: RedisService) => ports.map((port) => `127.0.0.1:${port}`).join(',')

async function opened(values: Parameters<typeof openPorts>[0]): Promise<Ports> {
  const ports = await openPorts(values)
  onTestFinished(async () => {
    for (const port of Object.values(ports)) await port.close()
  })
  return ports
}

/** Starts a run on some ports and carries it to its end on others. */
async function runAcross(url: string): Promise<unknown> {
  const [client, worker] = [await opened({ BATON_STORE: url }), await opened({ BATON_STORE: url })]
  const runtime = new FlowRuntime({ flows: [greet], ...worker })
  onTestFinished(() => runtime.stop())
  const handle = await new BatonClient({ store: client.store, queue: client.queue, flows: [greet] }).start(greet, 'Ada')
  runtime.get(handle.runId)
  return handle.result()
}

describe.skipIf(server.skipReason !== undefined)(server.skipReason ?? 'redis: URLs', () => {
  it('are shared by whoever names the same server and prefix', async () => {
    expect(await runAcross(`${server.url}?prefix=${newPrefix()}`)).toBe('Hello, Ada')
  })

  it('name a cluster by its hosts, and by one of them', async () => {
    const prefix = newPrefix()
    const [first] = cluster.ports

    expect(await runAcross(`redis://${hostsOf(cluster)}?allowEphemeral=true&prefix=${prefix}`)).toBe('Hello, Ada')
    expect(await runAcross(`redis://127.0.0.1:${first}?cluster=true&allowEphemeral=true&prefix=${prefix}`)).toBe(
      'Hello, Ada',
    )
  })

  it('bring a user and a password', async () => {
    const port = new URL(guarded.url).port

    expect(await runAcross(`redis://:sec%2Fret@127.0.0.1:${port}?prefix=${newPrefix()}`)).toBe('Hello, Ada')
  })

  it('do with a user who may do no more than the guide to Redis says', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/redis.md'), 'utf8')
    const [, words = ''] = /^ACL (SETUSER baton .*)$/m.exec(guide) ?? []
    const redis = new Redis(guarded.url.replace('//', '//:sec%2Fret@'))
    await redis.call('ACL', ...words.split(' '))
    redis.disconnect()

    expect(await runAcross(guarded.url.replace('//', '//baton:secret@'))).toBe('Hello, Ada')
  })

  it('are told of a mistake before anything is written', async () => {
    const port = new URL(guarded.url).port
    const redis = new Redis({ port: Number(port), password: 'sec/ret' })
    const before = await redis.keys('*')
    const cases = [
      { url: guarded.url, says: 'does not let us in' },
      { url: `redis://:wrong@127.0.0.1:${port}`, says: 'does not let us in' },
      {
        url: `redis://${hostsOf(cluster)}`,
        says: 'this Redis loses runs',
        hint: 'add ?allowEphemeral=true to the URL',
      },
      {
        url: `redis://127.0.0.1:${cluster.ports[0]}?allowEphemeral=true`,
        says: 'is a node of a cluster',
        hint: '?cluster=true',
      },
    ]

    for (const { url, says, hint = 'Write redis://user:password@host' } of cases) {
      const [found, ...others] = await checkPorts({ BATON_STORE: url })
      expect(found, url).toMatchObject({
        code: 'INVALID_OPTION',
        field: 'BATON_STORE',
        message: expect.stringContaining(says),
        hint: expect.stringContaining(hint),
      })
      expect(others).toEqual([])
    }
    const durability = await checkPorts({
      BATON_STORE: `redis://:sec%2Fret@127.0.0.1:${port}`,
      BATON_DURABILITY: 'power',
    })
    expect(durability).toMatchObject([
      { field: 'BATON_DURABILITY', hint: expect.stringContaining('appendfsync always') },
    ])

    expect(await redis.keys('*')).toEqual(before)
    redis.disconnect()
  })

  it('tell whoever only looks that there is no store, and make none', async () => {
    const values = { BATON_STORE: `${server.url}?prefix=${newPrefix()}` }

    expect(await checkPorts(values, { mustExist: true })).toMatchObject([
      { code: 'INVALID_OPTION', field: 'BATON_STORE', message: expect.stringContaining('there is no store') },
    ])
    expect(await checkPorts(values)).toEqual([])
    expect(await checkPorts(values, { mustExist: true })).toHaveLength(1)
    await opened(values)
    expect(await checkPorts(values, { mustExist: true })).toEqual([])
  })
})

it('says so when nobody answers, and leaves nothing open', async () => {
  const refused = openPorts({ BATON_STORE: 'redis://127.0.0.1:1' })

  await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', field: 'BATON_STORE' })
})
