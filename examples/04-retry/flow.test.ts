/** How you would test such a flow: nothing is waited for, and the shop is a stub. */
import { FatalError } from '@baton/core'
import { crashEverywhere, fails, testFlow } from '@baton/testing/flow'
import { expect, it } from 'vitest'
import { prices } from './flow.ts'

const fresh = { what: 'tea', euros: 4, isOld: false }

it('asks three times, and waits longer each time', async () => {
  const test = testFlow(prices, { nodes: { ask: fails(2, 'no answer') } })
  test.stub({ tag: ({ input }) => ({ output: `${input.euros}` }) })
  const run = await test.start('cake')

  await run.until('completed')

  run.journal.retried('ask', { times: 2 }).ran('ask', { times: 3 }).order(['ask', 'remember', 'tag'])
  expect(test.elapsedMs).toBeGreaterThan(24)
})

it('remembers when the shop never answers', async () => {
  const test = testFlow(prices, { nodes: { ask: fails(Number.POSITIVE_INFINITY) } })
  const run = await test.start('tea')

  expect(await run.result()).toBe('tea: about 5 €')

  run.journal.ran('ask', { times: 3 }).failed('ask').order(['ask', 'remember', 'tag'])
})

it('does not ask again for what the shop does not sell', async () => {
  const refuse = () => {
    throw new FatalError('not sold here')
  }
  const test = testFlow(prices, { nodes: { ask: refuse } })
  const run = await test.start('stone')

  await run.until('failed')

  run.journal.ran('ask', { times: 1 }).failedWith(/not sold here, and nobody remembers/)
})

it('gives the same price whichever worker dies at whatever moment', async () => {
  const report = await crashEverywhere(prices, async (test) => {
    test.stub({
      ask: ({ attempt }) => {
        if (attempt === 1) throw new Error('no answer')
        return { output: fresh }
      },
    })
    expect(await test.run('tea')).toBe('tea: 4 €')
  })

  expect(report.nodes.get('ask')).toEqual({ usual: 2, most: 3 })
})
