import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startKafka, startRedis } from '@baton/services'
import { afterAll, describe, expect, it, vi } from 'vitest'

// A node that outlives a session takes eight seconds of it.
vi.setConfig({ testTimeout: 60_000 })

const here = import.meta.dirname
const kafka = await startKafka()
const redis = await startRedis({ appendOnly: true })
afterAll(async () => {
  for (const server of [kafka, redis]) await server[Symbol.asyncDispose]()
})
const skipReason = kafka.skipReason ?? redis.skipReason

describe.skipIf(skipReason !== undefined)(skipReason ?? 'on a real Kafka and a real Redis', () => {
  it('prints what its README says it prints', () => {
    const printed = execFileSync(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', 'main.ts'], {
      cwd: here,
      encoding: 'utf8',
      env: { ...process.env, KAFKA_BROKERS: kafka.brokers.join(), REDIS_URL: redis.url },
    })

    expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
    expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
  })
})
