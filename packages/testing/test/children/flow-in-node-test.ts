/** A test of a flow as somebody without vitest writes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testFlow } from '../../src/flow/index.ts'
import { subscription } from '../flow/subscription.ts'

test('a subscription', async () => {
  const run = await testFlow(subscription).start({ email: 'ada@example.org', euros: 20 })
  assert.equal(await run.result(), 'receipt over 20 €')
  assert.throws(() => run.journal.ran('ask'), { name: 'AssertionError' })
})
