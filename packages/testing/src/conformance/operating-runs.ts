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
  {
    title:
      'a run that failed is done over from before its failure: what had settled is not done again, and twice is once',
    async run(stage) {
      const ran: string[] = []
      let isMended = false
      const keys: (string | undefined)[] = []
      const flow = createFlow<number>('repaired')
        .node('a', ({ nodeId, input }: NodeArguments<number>) => {
          ran.push(nodeId)
          return { output: input + 1 }
        })
        .node(
          'b',
          async ({ nodeId, input, step, context, previousIdempotencyKey }: NodeArguments<number>) => {
            ran.push(nodeId)
            keys.push(previousIdempotencyKey)
            const paid = await step('pay', async ({ context }) => {
              ran.push('pay')
              await context.set('paid', true)
              return input * 10
            })
            if (!isMended) throw new Error('the bank is down')
            return { output: { paid, kept: await context.get('paid') } }
          },
          { retry: { attempts: 2, delayMs: 1 } },
        )
        .node('c', ({ input }: NodeArguments) => ({ output: input }))
        .edge('a', 'b')
        .edge('b', 'c')
      await using crew = new Crew(stage, flow)
      crew.worker()
      const handle = await crew.client.start('repaired', 1)
      expect(await crew.outcome(handle)).toMatchObject({ status: 'failed' })
      const letter = { runId: handle.runId, flowId: 'repaired', runStatus: 'failed', instanceId: 'b', attempts: 2 }
      const { deadLetters } = await crew.client.deadLetters({ flowId: 'repaired' })
      expect(deadLetters).toMatchObject([{ ...letter, error: { message: 'the bank is down' } }])
      expect(deadLetters[0]?.redrivenAs).toBeUndefined()
      const before = await stage.hand().everything(handle.runId)

      isMended = true
      const [one, two] = await Promise.all([handle.redrive({ by: 'ada' }), crew.client.redrive(handle.runId)])

      expect(two.runId).toBe(one.runId)
      expect(await crew.outcome(one)).toMatchObject({ status: 'completed', output: { paid: 20, kept: true } })
      expect(ran).toEqual(['a', 'b', 'pay', 'b', 'b'])
      expect(keys).toEqual([undefined, undefined, `${handle.runId}/b`])
      const origin = { kind: 'redrive', branchOriginRunId: handle.runId, rootRunId: handle.runId }
      expect(await one.summary()).toMatchObject({ lineage: origin, correlation: { traceId: handle.runId } })
      expect(await stage.hand().everything(handle.runId)).toEqual(before)
      expect((await crew.client.deadLetters()).deadLetters).toMatchObject([{ ...letter, redrivenAs: one.runId }])
      expect((await handle.redrive()).runId).toBe(one.runId)
    },
  },
  {
    title: 'failed work of a live run is done over in it, and what waited behind it goes on',
    async run(stage) {
      let isMended = false
      const flow = createFlow('live', { failFast: false })
        .node('a', () => {
          if (!isMended) throw new Error('broken')
          return { output: 'a' }
        })
        .waitForSignal('x', { signal: 'go' })
        .node('join', ({ input }: NodeArguments) => ({ output: input }))
        .node('behind', ({ input }: NodeArguments) => ({ output: input }))
        .edge('a', 'join')
        .edge('x', 'join')
        .edge('join', 'behind')
      await using crew = new Crew(stage, flow)
      crew.worker()
      const handle = await crew.client.start('live')
      const failed = (async () => {
        for await (const { type } of handle.stream()) if (type === 'run-paused') return
      })()
      await stage.until(failed)
      expect((await handle.record()).deadLetters).toMatchObject([{ instanceId: 'a' }])
      expect((await stage.hand().instance('behind', handle.runId))?.status).toBe('skipped')

      isMended = true
      expect((await handle.redrive({ instanceId: 'a' })).runId).toBe(handle.runId)
      await handle.signal('go', 'x')

      expect(await crew.outcome(handle)).toMatchObject({ status: 'completed', output: { a: 'a', x: 'x' } })
      await expect(handle.redrive()).rejects.toMatchObject({ code: 'NOT_REDRIVABLE', field: 'runId' })
      expect((await crew.client.deadLetters()).deadLetters).toEqual([])
    },
  },
  {
    title: 'work that failed with its child is done over with another one, and a child that has completed is shared',
    async run(stage) {
      const ran: string[] = []
      let isMended = false
      const good = createFlow('good').node('work', ({ runId }: NodeArguments) => void ran.push(runId))
      const bad = createFlow('bad').node('work', ({ runId }: NodeArguments) => {
        if (!isMended) throw new Error('broken')
        return { output: runId }
      })
      const flow = createFlow('parent').node('all', async ({ runChild, startChild }: NodeArguments) => {
        await runChild(good)
        const started = await startChild<string>(bad)
        const [one, two] = [await started.result(), await runChild<string>(bad)]
        return { output: { one, two, started: started.runId } }
      })
      await using crew = new Crew(stage, flow, good, bad)
      crew.worker()
      const handle = await crew.client.start('parent', undefined, { runId: 'p' })
      expect(await crew.outcome(handle)).toMatchObject({ status: 'failed' })

      isMended = true
      const again = await handle.redrive()

      const child = 'p:all:1:redrive'
      const output = { one: child, two: 'p:redrive:all:3', started: child }
      expect(await crew.outcome(again)).toMatchObject({ status: 'completed', output })
      expect(ran).toEqual(['p:all:0'])
      const { lineage } = await crew.client.get(child).summary()
      expect(lineage).toMatchObject({ parentRunId: 'p:redrive', branchOriginRunId: 'p:all:1', rootRunId: 'p' })
    },
  },
  {
    title: 'what cannot be done over is refused, and says why',
    async run(stage) {
      const flow = createFlow('two', { failFast: false })
        .node('a', () => Promise.reject(new Error('first')))
        .node('b', async ({ sleep }: NodeArguments) => {
          await sleep(stage.ticks(5))
          throw new Error('second')
        })
      await using crew = new Crew(stage, flow)
      crew.worker()
      const handle = await crew.client.start('two')
      await crew.outcome(handle)

      const refused = { code: 'NOT_REDRIVABLE', field: 'instanceId' }
      await expect(handle.redrive({ instanceId: 'b' })).rejects.toMatchObject(refused)
      await expect(handle.redrive({ instanceId: 'c' })).rejects.toMatchObject(refused)
      await expect(crew.client.redrive('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
      const again = await handle.redrive({ instanceId: 'a' })
      expect(await crew.outcome(again)).toMatchObject({ status: 'failed', error: { message: 'first' } })
      expect((await again.record()).deadLetters.map(({ instanceId }) => instanceId)).toEqual(['a', 'b'])
    },
  },
]
