/** Nodes of this process hear at once that their run stops: no test here could wait for a renewal of a lease of 30 s. */
import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, type FlowRuntimeOptions, InMemoryRunStore, type NodeArguments } from '../index.ts'

const untilAborted = ({ signal }: NodeArguments) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const ways: [string, () => FlowRuntimeOptions][] = [
  ['without a store', () => ({})],
  ['with one', () => ({ store: new InMemoryRunStore() })],
]

describe.each(ways)('a node that runs, %s', (_, optionsOf) => {
  it('hears of a cancelled run', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const handle = await runtime.start(createFlow('x').node('a', untilAborted))
    for await (const { type } of handle.stream()) if (type === 'node-claimed') break

    expect(await handle.cancel()).toBe(true)
    expect(await handle.outcome()).toMatchObject({ status: 'cancelled' })
  })

  it('hears of a deadline that has passed', async () => {
    await using runtime = new FlowRuntime({ ...optionsOf(), worker: { sweepMs: 20 } })
    const handle = await runtime.start(createFlow('x').node('a', untilAborted), undefined, {
      deadlineMs: 50,
    })
    expect(await handle.outcome()).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
  })

  it('hears of a sibling that failed', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const flow = createFlow('x')
      .node('slow', untilAborted)
      .node('bad', async () => {
        await new Promise((resolve) => setImmediate(resolve))
        throw new Error('broken')
      })
    const handle = await runtime.start(flow)
    expect(await handle.outcome()).toMatchObject({ status: 'failed', error: { message: 'broken' } })
  })

  it('hears that another way into a join was taken', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const flow = createFlow('x')
      .node('slow', untilAborted)
      .node('quick', async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return { output: 1 }
      })
      .node('first', ({ input }) => ({ output: input }), { joinStrategy: 'any', cancelLosers: true })
      .edge('slow', 'first')
      .edge('quick', 'first')
    const handle = await runtime.start(flow)
    expect(await handle.outcome()).toMatchObject({ status: 'completed', output: 1 })
  })
})

it.each(ways)('a runtime that was stopped says so, %s', async (_, optionsOf) => {
  const flow = createFlow('x').node('a', () => ({ output: 1 }))
  const runtime = new FlowRuntime(optionsOf())
  await runtime.start(flow)
  await runtime.stop()
  await expect(runtime.run(flow)).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(runtime.start(flow)).rejects.toMatchObject({ code: 'CLOSED' })
})
