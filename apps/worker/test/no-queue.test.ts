import { join } from 'node:path'
import { BatonClient } from '@baton/core'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { expect, it, onTestFinished, vi } from 'vitest'
import { flows } from './greeting.ts'
import { startWorker, temporaryFolder } from './process.ts'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

it('says that nobody answers where its queue should be, goes on by the sweep, and stops well', async () => {
  const directory = join(temporaryFolder(), 'store')
  const worker = startWorker({
    BATON_STORE: `file:${directory}`,
    BATON_QUEUE: 'redis://:sesame@127.0.0.1:1',
    BATON_FLOWS: join(import.meta.dirname, 'greeting.ts'),
    BATON_SWEEP_MS: '200',
    BATON_LOG: 'json',
  })
  await worker.said('worker is ready')
  const store = new FileRunStore({ directory })
  const queue = new FileJobQueue({ directory })
  onTestFinished(async () => {
    await queue.close()
    await store.close()
  })

  // Its job goes to another queue than the worker's.
  const run = await new BatonClient({ store, queue, flows }).start('greeting', 'Ada')

  expect(await run.result()).toBe('Hello, Ada')
  expect(await worker.said('the job queue failed, will look again')).toMatchObject({
    level: 'warn',
    error: expect.stringContaining('ECONNREFUSED'),
  })
  worker.kill('SIGTERM')
  expect(await worker.exit).toEqual({ code: 0, signal: null })
  expect(worker.lines.filter((line) => line.includes('"level":"warn"')).length).toBeLessThan(4)
  expect(worker.lines.join('\n')).not.toContain('sesame')
})
