/** What operators do and what flows limit, in a flow test. */
import { createFlow } from '@baton/core'
import { expect, it } from 'vitest'
import { crashEverywhere, testFlow } from '../../src/flow/index.ts'

it('shows a run that waits for its turn, and no run that the engine keeps for itself', async () => {
  const narrow = createFlow('narrow', { concurrency: { limit: 1 } }).node('work', async ({ sleep }) => {
    await sleep(60_000)
  })
  const test = testFlow(narrow)
  const first = await test.start()
  const second = await test.start()

  await test.advance(1_000)

  expect(second.waits).toMatchObject([{ kind: 'slot', sinceMs: test.now() - 1_000 }])
  expect(second.describe()).toMatch(/^pending: waits for a slot of baton:limit:narrow/)
  await Promise.all([first.result(), second.result()])
  expect(test.elapsedMs).toBe(120_000)
  expect(test.runs.map(({ runId }) => runId)).toEqual(['run-1', 'run-2'])
})

it('lets failed work be done over, also when workers die', async () => {
  const flow = createFlow('bank', { failFast: false })
    .node('pay', () => ({ output: 'paid' }))
    .node('wait', async ({ waitForSignal }) => void (await waitForSignal('go-on')))

  await crashEverywhere(flow, async (test) => {
    const bank = { isOpen: false }
    test.stub({
      pay: () => {
        if (!bank.isOpen) throw new Error('closed')
        return { output: 'paid' }
      },
    })
    const run = await test.start()
    await run.until((each) => each.journal.events.some(({ type }) => type === 'node-failed'))
    bank.isOpen = true
    const again = await run.redrive()
    await again.signal('go-on')
    expect(await again.result()).toEqual({ pay: 'paid', wait: null })
  })
})
