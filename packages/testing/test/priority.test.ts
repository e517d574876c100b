/** Who goes first where not all can: among what is due. The queue and inline work are the conformance kit's. */
import { createFlow, type NodeArguments } from '@baton/core'
import { expect, it } from 'vitest'
import { Crew, memorySubject, Stage } from '../src/index.ts'

const { tickMs } = memorySubject

async function stageOf(): Promise<Stage> {
  return new Stage(
    memorySubject,
    await memorySubject.create({ redispatchMs: 20 * tickMs, redispatchMaxMs: 80 * tickMs, visibilityMs: 40 * tickMs }),
  )
}

it('of what is due, a worker without a queue takes the most urgent first, then the oldest', async () => {
  const stage = await stageOf()
  const order: string[] = []
  const flow = createFlow('one').node('a', ({ runId }: NodeArguments) => void order.push(runId))
  await using crew = new Crew(stage, flow)
  const client = crew.clientOf({ queue: { enqueue() {}, consume: async () => {}, close() {} } })
  for (const [runId, priority] of [
    ['old', 0],
    ['low', -1],
    ['high', 2],
    ['young', 0],
    ['higher', 3],
  ] as const) {
    await client.start('one', undefined, { runId, priority })
    await stage.pass(1)
  }

  crew.worker({ concurrency: 1 })
  await crew.outcome(client.get('low'))

  expect(order[0]).toBe('higher')
  expect(order.at(-1)).toBe('low')
  expect(order.filter((id) => id === 'old' || id === 'young')).toEqual(['old', 'young'])
})
