import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, type NodeArguments } from '../index.ts'

const flow = createFlow('order')
  .node('reserve', async ({ context, checkpoint }: NodeArguments) => {
    await context.set('stage', 'reserved')
    await checkpoint('before-payment')
    return { output: 'reserved' }
  })
  .node('pay', async ({ context }) => {
    await context.set('stage', 'paid')
    return { output: 'paid' }
  })
  .edge('reserve', 'pay')

describe('the checkpoints of a run', () => {
  it('are its start, the places that node code named, and where each instance settled', async () => {
    await using runtime = new FlowRuntime()
    const handle = await runtime.start(flow)
    await handle.result()

    const { checkpoints, metrics, errors } = await handle.record()

    expect(checkpoints.map(({ label }) => label)).toEqual([
      'run-started',
      'before-payment',
      'reserve succeeded',
      'pay succeeded',
    ])
    expect(metrics).toMatchObject({ instances: { succeeded: 2 }, attempts: 2, lostLeases: 0 })
    expect(errors).toEqual([])
  })

  it('each show the run as it was there', async () => {
    await using runtime = new FlowRuntime()
    const handle = await runtime.start(flow)
    await handle.result()
    const { checkpoints } = await handle.record()
    const at = async (label: string) => {
      const checkpoint = checkpoints.find((candidate) => candidate.label === label)
      return handle.snapshot(checkpoint?.id ?? '')
    }

    expect(await at('run-started')).toMatchObject({ status: 'pending', context: {} })
    expect(await at('reserve succeeded')).toMatchObject({ status: 'running', context: { stage: 'reserved' } })
    expect(await at('pay succeeded')).toMatchObject({ context: { stage: 'paid' } })
    await expect(handle.snapshot('c999')).rejects.toMatchObject({ code: 'INVALID_ID', field: 'checkpointId' })
    await expect(handle.snapshot('nonsense')).rejects.toMatchObject({ code: 'INVALID_ID' })
  })
})
