import { spawnSync } from 'node:child_process'
import { expect, it, vi } from 'vitest'
import { testFlow } from '../../src/flow/index.ts'
import { subscription } from './subscription.ts'

it('works with node:test', () => {
  const fromSource = ['--conditions=@baton/source', '--import', 'tsx']
  const { VITEST: _, ...env } = process.env

  const { status, stdout } = spawnSync(process.execPath, [...fromSource, 'test/children/flow-in-node-test.ts'], {
    cwd: `${import.meta.dirname}/../..`,
    encoding: 'utf8',
    env,
  })

  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('a subscription') })
})

it('does not mind fake timers', async () => {
  vi.useFakeTimers()
  try {
    expect(await testFlow(subscription).run({ email: 'ada@example.org', euros: 20 })).toBe('receipt over 20 €')
  } finally {
    vi.useRealTimers()
  }
})
