/** The example of the document that Baton grew out of: A fails, B succeeds, and both lead to an `any` join C. */
import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'
import { describe, expect, it } from 'vitest'
import { Crew, memorySubject, Signal, Stage } from '../src/index.ts'

const ticks = (count: number) => count * memorySubject.tickMs

async function stageOf(): Promise<Stage> {
  const options = { redispatchMs: ticks(20), redispatchMaxMs: ticks(80), visibilityMs: ticks(40) }
  return new Stage(memorySubject, await memorySubject.create(options))
}

/** As it stands there, word for word. */
const workflow = createFlow('any-join-example')
  .node('A', async () => {
    throw new Error('A failed')
  })
  .node('B', async () => ({ output: 'B succeeded' }))
  .node('C', async ({ input }) => ({ output: `Result: ${input}` }), {
    config: { joinStrategy: 'any' },
  })
  .edge('A', 'C')
  .edge('B', 'C')

describe('an `any` join whose first branch fails', () => {
  it('is cancelled, the workflow fails, and B does not execute C alone: on workers', async () => {
    const stage = await stageOf()
    await using crew = new Crew(stage, workflow)
    crew.worker({ concurrency: 1 })

    const handle = await crew.client.start('any-join-example')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'failed', error: { message: 'A failed' } })
    const journal = await stage.hand().journal(handle.runId)
    expect(journal.filter((event) => event.type === 'node-claimed' && event.instanceId === 'C')).toEqual([])
    const statuses = (await handle.record()).instances.map(({ instanceId, status }) => [instanceId, status])
    expect(Object.fromEntries(statuses)).toMatchObject({ A: 'failed', C: 'failed' })
  })

  it('is cancelled, the workflow fails: in one process', async () => {
    const result = await new FlowRuntime({ concurrency: 1 }).run(workflow)

    expect(result).toMatchObject({ status: 'failed', error: { message: 'A failed' } })
  })

  it('is cancelled also where B succeeded before, as long as C does not run', async () => {
    const gate = new Signal()
    const flow = createFlow('late-failure', { failFast: false })
      .node('A', async () => {
        await gate.wait()
        throw new Error('A failed')
      })
      .node('B', async () => ({ output: 'B succeeded' }))
      .node('C', async ({ input }) => ({ output: `Result: ${input}` }), { joinStrategy: 'any' })
      .edge('A', 'C')
      .edge('B', 'C')
    const stage = await stageOf()
    const hand = stage.hand()
    await using crew = new Crew(stage, flow)
    const handle = await crew.client.start('late-failure')
    // B ends by hand, so that C is ready and nobody has claimed it when A fails.
    const to = { to: 'C', edge: 'B->C', from: 'B', fate: 'succeeded', rule: 'any', of: 2 } as const
    await hand.run('B', { output: 'B succeeded', arrivals: [to] }, { runId: handle.runId })
    const claim = await hand.claim('A', { runId: handle.runId })
    const arrival = { to: 'C', edge: 'A->C', from: 'A', fate: 'failed', rule: 'any', of: 2 } as const
    await hand.fail(claim, { arrivals: [arrival], takenBy: { always: false, ifStarted: ['C'] } })

    crew.worker()

    expect(await crew.outcome(handle)).toMatchObject({ status: 'failed' })
    expect((await hand.instance('C', handle.runId))?.status).toBe('failed')
  })

  it('runs on and completes where C had started with the output of B when A failed', async () => {
    const gate = new Signal()
    const flow = createFlow('started-join')
      .node('A', async () => {
        await gate.wait()
        throw new Error('A failed')
      })
      .node('B', async () => ({ output: 'B succeeded' }))
      .node(
        'C',
        async ({ input }: NodeArguments) => {
          gate.fire()
          return { output: `Result: ${input}` }
        },
        { joinStrategy: 'any' },
      )
      .edge('A', 'C')
      .edge('B', 'C')
    const stage = await stageOf()
    await using crew = new Crew(stage, flow)
    crew.worker()

    const handle = await crew.client.start('started-join')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: 'Result: B succeeded' })
    const failed = (await handle.record()).instances.find(({ instanceId }) => instanceId === 'A')
    expect(failed?.status).toBe('failed')
  })
})
