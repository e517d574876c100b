/** What operators do to runs, with workers that work on them. */
import { createFlow, type NodeArguments } from '@baton/core'
import { expect } from 'vitest'
import { Signal } from '../signal.ts'
import { Crew } from './crew.ts'
import type { Case } from './suite.ts'

export const operatingRuns: readonly Case[] = [
  {
    title: 'a run that is paused goes no further, inline or later, and goes on when it is unpaused',
    async run(stage) {
      const ran: string[] = []
      const paused = new Signal()
      const name = ({ nodeId }: NodeArguments) => void ran.push(nodeId)
      const flow = createFlow('line')
        .node('a', async ({ runId, nodeId }: NodeArguments) => {
          ran.push(nodeId)
          expect(await crew.client.pause(runId, { reason: 'look at it', by: 'ada' })).toBe(true)
          paused.fire()
        })
        .node('b', name)
        .node('c', name)
        .edge('a', 'b')
        .edge('b', 'c')
      await using crew = new Crew(stage, flow)
      crew.worker()
      const handle = await crew.client.start('line')
      await stage.until(paused.wait())

      await stage.pass(crew.boundMs)

      expect(ran).toEqual(['a'])
      expect(await handle.summary()).toMatchObject({
        status: 'paused',
        operatorPause: { reason: 'look at it', by: 'ada' },
      })
      expect(await handle.unpause()).toBe(true)
      expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
      expect(ran).toEqual(['a', 'b', 'c'])
      expect(await handle.pause({ reason: 'too late' })).toBe(false)
      expect(await handle.unpause()).toBe(false)
    },
  },
  {
    title: 'what a paused run slept, waited and was told comes to pass once it is unpaused, with no sweep to help',
    async run(stage) {
      const order: string[] = []
      const flow = createFlow('woken')
        .node('sleeps', async ({ sleep }: NodeArguments) => {
          await sleep(stage.ticks(5))
          order.push('woke')
        })
        .node('hears', async ({ waitForSignal }: NodeArguments) => {
          order.push(await waitForSignal<string>('news'))
        })
      await using crew = new Crew(stage, flow)
      crew.worker({ sweepMs: 3_600_000 })
      const handle = await crew.client.start('woken')
      const parked = (async () => {
        const seen = new Set<string>()
        for await (const { type } of handle.stream()) {
          seen.add(type)
          if (seen.has('node-slept') && seen.has('node-awaited')) return
        }
      })()
      await stage.until(parked)
      await handle.pause({ reason: 'not now' })

      await handle.signal('news', 'heard')
      await stage.pass(stage.ticks(20))
      expect(order).toEqual([])

      await handle.unpause()
      expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
      expect(order.sort()).toEqual(['heard', 'woke'])
    },
  },
]
