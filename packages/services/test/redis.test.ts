import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RedisService, startRedis } from '../src/index.ts'
import { isOnPath, isRequired } from '../src/wanted.ts'

const run = promisify(execFile)

afterEach(() => vi.unstubAllEnvs())

async function ask(redis: RedisService, ...words: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-u', redis.url, ...words])
  return stdout.trim()
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('a Redis for tests', () => {
  it('is the one that the variable names, which is left running', async () => {
    vi.stubEnv('BATON_TEST_REDIS_URL', 'redis://elsewhere:1234')

    await using redis = await startRedis()

    expect(redis.url).toBe('redis://elsewhere:1234')
    expect(redis.skipReason).toBeUndefined()
    await expect((async () => redis.kill())()).rejects.toThrow('of our own')
  })

  it('is not there where no server is, and says how to get one', async () => {
    vi.stubEnv('BATON_TEST_REDIS_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'kafka')
    vi.stubEnv('PATH', '/nowhere')

    const redis = await startRedis()

    expect(redis.skipReason).toContain('redis-server')
    expect(redis.skipReason).toContain('BATON_TEST_REDIS_URL')
    expect(() => redis.url).toThrow('redis-server')
  })

  it('fails where it is required and no server is', async () => {
    vi.stubEnv('BATON_TEST_REDIS_URL', '')
    vi.stubEnv('BATON_REQUIRE_SERVICES', 'kafka, redis')
    vi.stubEnv('PATH', '/nowhere')

    await expect(startRedis()).rejects.toThrow('BATON_REQUIRE_SERVICES asks for redis')
  })
})

describe.skipIf(!isOnPath('redis-server') && !isRequired('redis'))('a Redis of our own', () => {
  it('answers while it is used, and is gone with its files afterwards', async () => {
    let redis = await startRedis({ appendOnly: false })
    const folder = (await ask(redis, 'CONFIG', 'GET', 'dir')).split('\n')[1] ?? ''
    const [port = 0] = redis.ports
    {
      await using used = redis
      expect(await ask(used, 'PING')).toBe('PONG')
      expect(existsSync(folder)).toBe(true)
    }

    expect(await canConnect(port)).toBe(false)
    expect(existsSync(folder)).toBe(false)
    redis = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } })
    await using other = redis
    expect(await ask(other, 'CONFIG', 'GET', 'maxmemory-policy')).toContain('allkeys-lru')
  })

  it('has after a kill what it acknowledged before, when it appends to a file', async () => {
    await using redis = await startRedis({ appendOnly: true })
    await ask(redis, 'SET', 'k', 'v')

    await redis.kill()
    expect(await canConnect(redis.ports[0] ?? 0)).toBe(false)
    await redis.restart()

    expect(await ask(redis, 'GET', 'k')).toBe('v')
  })

  it('ends with the process that started it, also when that is killed', async () => {
    const code = `
      import { startRedis } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      const redis = await startRedis({ appendOnly: false })
      console.log(redis.ports[0])
      setInterval(() => {}, 1000)
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    expect(await canConnect(Number(line))).toBe(true)

    child.kill('SIGKILL')

    await expect.poll(() => canConnect(Number(line)), { timeout: 10_000 }).toBe(false)
  })

  it('does not keep its process from ending', async () => {
    const code = `
      import { startRedis } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      await startRedis({ appendOnly: true })
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { stdio: 'inherit' })

    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('can be a cluster, whose nodes send each other callers', async () => {
    await using redis = await startRedis({ cluster: 3 })

    expect(redis.ports).toHaveLength(3)
    for (const port of redis.ports) {
      const { stdout } = await run('redis-cli', ['-c', '-p', String(port), 'SET', `key-${port}`, 'v'])
      expect(stdout.trim()).toContain('OK')
    }
    const slots = await ask(redis, 'CLUSTER', 'INFO')
    expect(slots).toContain('cluster_slots_assigned:16384')
  })
})
