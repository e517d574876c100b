import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRedis } from '@baton/services'
import { afterAll, expect, it } from 'vitest'

const here = import.meta.dirname
const redis = await startRedis({ appendOnly: true })
afterAll(() => redis[Symbol.asyncDispose]())

it.skipIf(redis.skipReason !== undefined)('prints what its README says it prints, on a real Redis', () => {
  const fromSource = ['--conditions=@baton/source', '--import', 'tsx']

  const printed = execFileSync(process.execPath, [...fromSource, 'main.ts'], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, REDIS_URL: redis.url },
  })

  expect(printed).toBe(readFileSync(join(here, 'expected-output.txt'), 'utf8'))
  expect(readFileSync(join(here, 'README.md'), 'utf8')).toContain(`\`\`\`text\n${printed}\`\`\``)
})
