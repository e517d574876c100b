import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'
import { expect, it } from 'vitest'
import { Progress } from './progress.ts'

it('tells from the journal how far each node is, and how many items of a map are done', async () => {
  const flow = createFlow<number[]>('squares')
    .node('list', ({ input }: NodeArguments<number[]>) => ({ output: input }))
    .map('square', ({ input }: NodeArguments<number>) => ({ output: input * input }))
    .edge('list', 'square')
  const progress = new Progress()

  await new FlowRuntime().run(flow, [1, 2, 3], { onEvent: (event) => progress.apply(event) })

  expect(progress).toMatchObject({ flow: 'squares', status: 'completed', isIdle: true })
  expect(progress.nodes).toMatchObject([
    { nodeId: 'list', done: 1, total: undefined, isSettled: true },
    { nodeId: 'square', done: 3, total: 3, failed: 0, isSettled: true },
  ])
})

it('counts the visits of a loop, and not its turns', async () => {
  const again = { condition: ({ output }: { readonly output: unknown }) => output !== 3, loop: { maxVisits: 9 } }
  const flow = createFlow<number>('rounds')
    .node('first', ({ visit }: NodeArguments<number>) => ({ output: visit }))
    .node('left', ({ input }: NodeArguments<number>) => ({ output: input }))
    .node('right', ({ input }: NodeArguments<number>) => ({ output: input }))
    .edge('first', 'left')
    .edge('first', 'right')
    .edge('left', 'first', again)
    .edge('right', 'first', again)
  const progress = new Progress()

  await new FlowRuntime().run(flow, 0, { onEvent: (event) => progress.apply(event) })

  expect(progress.nodes).toMatchObject([
    { nodeId: 'first', done: 3, skipped: 0 },
    { nodeId: 'left', done: 3 },
    { nodeId: 'right', done: 3 },
  ])
})

it('knows what a paused run waits for', async () => {
  const flow = createFlow('refund').approval('boss')
  const progress = new Progress()

  await new FlowRuntime().run(flow, undefined, { onEvent: (event) => progress.apply(event) })

  expect(progress.status).toBe('paused')
  expect(progress.node('boss').waitsFor).toBe('approval boss')
})

it('takes the colons in the name of a signal for a part of it', async () => {
  const flow = createFlow('order').waitForSignal('wait', { signal: 'order:paid' })
  const progress = new Progress()

  await new FlowRuntime().run(flow, undefined, { onEvent: (event) => progress.apply(event) })

  expect(progress.node('wait').waitsFor).toBe('signal order:paid')
})
