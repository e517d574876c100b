import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openPorts } from '@baton/compose'
import { BatonClient } from '@baton/core'
import { startDynamo, startSqs } from '@baton/services'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { flows } from './greeting.ts'
import { startWorker } from './process.ts'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

const dynamo = await startDynamo({ kind: 'dynoxide' })
const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(async () => {
  for (const each of [dynamo, sqs]) await each[Symbol.asyncDispose]()
})
const { skipReason = sqs.skipReason } = dynamo

const credentials = { AWS_ACCESS_KEY_ID: 'baton', AWS_SECRET_ACCESS_KEY: 'sesame', AWS_REGION: 'us-east-1' }

describe.skipIf(skipReason !== undefined)(skipReason ?? 'a worker on DynamoDB and SQS', () => {
  it('carries out what a client starts, says where it works, and stops well', async () => {
    for (const [name, value] of Object.entries(credentials)) vi.stubEnv(name, value)
    onTestFinished(() => void vi.unstubAllEnvs())
    const name = `t-${randomUUID().slice(0, 8)}`
    const urls = {
      BATON_STORE: `dynamodb://${name}?endpoint=${dynamo.endpoint}&create=true`,
      BATON_QUEUE: `sqs://${name}?endpoint=${sqs.endpoint}&create=true`,
    }
    const { store, queue, coordinationStore } = await openPorts(urls)
    onTestFinished(async () => {
      for (const port of [queue, store, coordinationStore]) await port.close()
    })
    const worker = startWorker({
      ...urls,
      BATON_FLOWS: join(import.meta.dirname, 'greeting.ts'),
      BATON_LOG: 'json',
      BATON_LOG_LEVEL: 'debug',
    })
    expect(await worker.said('worker is ready')).toMatchObject({ store: urls.BATON_STORE })

    const run = await new BatonClient({ store, queue, flows }).start('greeting', 'Ada')

    expect(await run.result()).toBe('Hello, Ada')
    worker.kill('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(worker.lines.filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([])
    expect(worker.lines.join('\n')).not.toContain('sesame')
  })

  it('is refused with one line and exit code 2 where there is no such table', async () => {
    const worker = startWorker({
      ...credentials,
      BATON_STORE: `dynamodb://nowhere?endpoint=${dynamo.endpoint}`,
      BATON_QUEUE: 'memory:',
      BATON_FLOWS: join(import.meta.dirname, 'greeting.ts'),
    })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    expect(worker.lines.filter((line) => line.startsWith('baton-worker:'))).toEqual([
      expect.stringContaining('INVALID_OPTION BATON_STORE: the table nowhere'),
    ])
  })
})
