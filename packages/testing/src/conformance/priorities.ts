/** Who goes first where not all can, with workers that work inline. */
import { createFlow, type NodeArguments } from '@baton/core'
import { expect } from 'vitest'
import { Crew } from './crew.ts'
import type { Stage } from './stage.ts'
import type { Case } from './suite.ts'

/** A line of nodes that say where they are. */
function line(id: string, length: number, work: (args: NodeArguments) => Promise<void> | void) {
  let flow = createFlow(id).node('n0', work)
  for (let index = 1; index < length; index++) {
    flow = flow.node(`n${index}`, work, { uses: `${id}/n0` }).edge(`n${index - 1}`, `n${index}`)
  }
  return flow
}

/** The first comes by the queue, and nobody knows of it before the chain has gone as far as it may; or from this process. */
const ways = [
  { fanOut: 'queue', nodesBefore: 5, name: 'once one has come by the queue' },
  { fanOut: 'own-places', nodesBefore: 3, name: 'at once where they are started in its process' },
] as const

export const priorities: readonly Case[] = [
  ...ways.map(({ fanOut, nodesBefore, name }) => ({
    title: `a run gives way to more urgent ones after each node, ${name}`,
    async run(stage: Stage) {
      stage.measureTime()
      const order: string[] = []
      const start = (runId: string) => crew.client.start('urgent', undefined, { runId, priority: 5 })
      const long = line('long', 12, async ({ nodeId, runId }) => {
        order.push(nodeId)
        if (runId !== 'calm') return
        if (nodeId === 'n2') await start('first')
        if (nodeId === 'n6') await start('second')
      })
      const urgent = line('urgent', 2, ({ runId, nodeId }) => void order.push(`${runId} ${nodeId}`))
      await using crew = new Crew(stage, long, urgent)
      crew.worker({ fanOut, concurrency: 1, inlineMaxNodes: 5, inlineMaxMs: 600_000, sweepMs: 3_600_000 })

      await crew.outcome(await crew.client.start('long', undefined, { runId: 'calm' }))

      const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`)
      const first = [...nodes.slice(0, nodesBefore), 'first n0', 'first n1']
      const second = [...nodes.slice(nodesBefore, 7), 'second n0', 'second n1']
      expect(order).toEqual([...first, ...second, ...nodes.slice(7)])
    },
  })),

  {
    title: 'an urgent run does not give way to calm ones',
    async run(stage) {
      const order: string[] = []
      const long = line('long', 8, async ({ runId, nodeId }) => {
        order.push(`${runId} ${nodeId}`)
        if (runId === 'urgent' && nodeId === 'n1') await crew.client.start('long', undefined, { runId: 'calm' })
      })
      await using crew = new Crew(stage, long)
      crew.worker({ concurrency: 1, inlineMaxMs: 600_000, sweepMs: 3_600_000 })

      await crew.outcome(await crew.client.start('long', undefined, { runId: 'urgent', priority: 1 }))
      await crew.outcome(crew.client.get('calm'))

      const all = Array.from({ length: 8 }, (_, index) => `n${index}`)
      expect(order).toEqual([...all.map((id) => `urgent ${id}`), ...all.map((id) => `calm ${id}`)])
    },
  },
]
