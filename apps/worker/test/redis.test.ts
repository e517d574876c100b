import { join } from 'node:path'
import { openPorts } from '@baton/compose'
import { BatonClient } from '@baton/core'
import { startRedis } from '@baton/services'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { flows } from './greeting.ts'
import { startWorker } from './process.ts'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

const flowsFile = join(import.meta.dirname, 'greeting.ts')
const redis = await startRedis({ appendOnly: true, settings: { requirepass: 'sesame' } })
afterAll(() => redis[Symbol.asyncDispose]())

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'a worker on Redis', () => {
  it('carries out what a client starts, says where it works without the password, and stops well', async () => {
    const url = redis.url.replace('//', '//:sesame@')
    const worker = startWorker({
      BATON_STORE: url,
      BATON_FLOWS: flowsFile,
      BATON_LOG: 'json',
      BATON_LOG_LEVEL: 'debug',
    })
    const { store, queue, coordinationStore } = await openPorts({ BATON_STORE: url })
    onTestFinished(async () => {
      for (const port of [queue, store, coordinationStore]) await port.close()
    })

    const run = await new BatonClient({ store, queue, flows }).start('greeting', 'Ada')

    expect(await run.result()).toBe('Hello, Ada')
    expect(await worker.said('worker is ready')).toMatchObject({ store: redis.url.replace('//', '//***@') })
    worker.kill('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(worker.lines.join('\n')).not.toContain('sesame')
  })
})

it('leaves with 1, and not as for a mistake, where no Redis answers', async () => {
  const worker = startWorker({ BATON_STORE: 'redis://:sesame@127.0.0.1:1', BATON_FLOWS: flowsFile })

  expect(await worker.exit).toEqual({ code: 1, signal: null })
  expect(worker.lines).toEqual([
    expect.stringContaining('STORE_UNAVAILABLE BATON_STORE: no Redis to work with at 127.0.0.1:1'),
  ])
  expect(worker.lines.join('\n')).not.toContain('sesame')
})
