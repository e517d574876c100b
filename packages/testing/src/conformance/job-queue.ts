import { parseRunId } from '@baton/core'
import type { Delivery, Job } from '@baton/core/adapter'
import { expect } from 'vitest'
import { Signal } from '../signal.ts'
import { Consumer } from './consumer.ts'
import type { Suite } from './suite.ts'

function job(instanceId = 'a', more: Partial<Job> = {}): Job {
  return { runId: parseRunId('run-1'), blueprintId: 'flow', nodeId: instanceId, instanceId, dispatch: 0, ...more }
}

export const jobQueue: Suite = {
  name: 'the job queue',
  cases: [
    {
      title: 'delivers a job with everything it says',
      async run(stage) {
        await using consumer = new Consumer(stage)
        const sent = job('map[7]', { version: '1.0', priority: 3, dispatch: 2, nodeId: 'map' })

        await stage.world.queue.enqueue([sent])

        await consumer.received(1)
        expect(consumer.deliveries[0]?.job).toEqual(sent)
        expect(consumer.deliveries[0]?.redelivered).toBe(0)
      },
    },
    {
      title: 'delivers every job of a large batch',
      async run(stage) {
        await using consumer = new Consumer(stage)
        const ids = Array.from({ length: 60 }, (_, index) => `n${index}`)

        await stage.world.queue.enqueue([])
        await stage.world.queue.enqueue(ids.map((id) => job(id)))

        await consumer.received(60)
        expect(new Set(consumer.instances)).toEqual(new Set(ids))
      },
    },
    {
      title: 'keeps jobs that were sent before anybody consumed, also those of another process',
      async run(stage) {
        const other = await stage.world.reopen()
        await stage.world.queue.enqueue([job('here')])
        await other.queue.enqueue([job('there')])

        await using consumer = new Consumer(stage)

        await consumer.received(2)
        expect([...consumer.instances].sort()).toEqual(['here', 'there'])
      },
    },
    {
      title: 'shares jobs among consumers, so that all of them are delivered',
      async run(stage) {
        await using one = new Consumer(stage)
        await using two = new Consumer(stage, { world: await stage.world.reopen() })
        const ids = Array.from({ length: 20 }, (_, index) => `n${index}`)

        await stage.world.queue.enqueue(ids.map((id) => job(id)))

        const all = () => new Set([...one.instances, ...two.instances])
        for (let turn = 0; turn < 200 && all().size < 20; turn++) await stage.pass(stage.ticks(2))
        expect(all()).toEqual(new Set(ids))
      },
    },
    {
      title: 'runs no more handlers at a time than it is told',
      async run(stage) {
        let running = 0
        let most = 0
        const gates: Signal[] = []
        const handle = async (delivery: Delivery) => {
          running += 1
          most = Math.max(most, running)
          const gate = new Signal()
          gates.push(gate)
          await gate.wait()
          running -= 1
          await delivery.acknowledge()
        }
        await using consumer = new Consumer(stage, { concurrency: 3, handle })

        await stage.world.queue.enqueue(Array.from({ length: 8 }, (_, index) => job(`n${index}`)))

        await consumer.received(3)
        await stage.pass(stage.ticks(3))
        expect(running).toBe(3)
        for (let count = 1; count <= 8; count++) {
          await consumer.received(count)
          gates[count - 1]?.fire()
        }
        expect(most).toBe(3)
      },
      world: { visibility: 500 },
    },
    {
      title: 'does not deliver a job again that was acknowledged',
      async run(stage) {
        await using consumer = new Consumer(stage)
        await stage.world.queue.enqueue([job('a'), job('b')])
        await consumer.received(2)

        await stage.pass(stage.ticks(30))

        expect([...consumer.instances].sort()).toEqual(['a', 'b'])
      },
      world: { visibility: 15 },
    },
    {
      title: 'delivers a job again whose handler threw',
      async run(stage) {
        let times = 0
        const handle = async (delivery: Delivery) => {
          times += 1
          if (times === 1) throw new Error('this handler throws once, as part of the test')
          await delivery.acknowledge()
        }
        await using consumer = new Consumer(stage, { handle })

        await stage.world.queue.enqueue([job()])

        await consumer.received(2)
        expect(consumer.deliveries[1]?.job).toMatchObject({ instanceId: 'a', dispatch: 0 })
      },
      world: { visibility: 15 },
    },
    {
      title: 'delivers a job again after the delay with which it was handed back, and not before',
      async run(stage) {
        const delayMs = stage.ticks(20)
        const handle = async (delivery: Delivery) => {
          if (delivery.redelivered === 0 && consumer.deliveries.length === 1) await delivery.handBack({ delayMs })
          else await delivery.acknowledge()
        }
        await using consumer: Consumer = new Consumer(stage, { handle })
        await stage.world.queue.enqueue([job()])
        await consumer.received(1)

        await stage.pass(stage.ticks(10))
        expect(consumer.deliveries).toHaveLength(1)
        await stage.pass(stage.ticks(15))

        await consumer.received(2)
      },
    },
    {
      title: 'gives a job that was handed back to anybody, not only to who had it',
      async run(stage) {
        const first = new Consumer(stage, {
          handle: async (delivery) => delivery.handBack({ delayMs: stage.ticks(5) }),
        })
        await stage.world.queue.enqueue([job()])
        await first.received(1)
        await first.stop()

        await using second = new Consumer(stage, { world: await stage.world.reopen() })

        await second.received(1)
        expect(second.instances).toEqual(['a'])
      },
    },
    {
      title: 'keeps a delivery from others for as long as it is extended',
      async run(stage) {
        const gate = new Signal()
        const handle = async (delivery: Delivery) => {
          await delivery.extend({ byMs: stage.ticks(100) })
          await gate.wait()
          await delivery.acknowledge()
        }
        await using consumer = new Consumer(stage, { handle })
        await stage.world.queue.enqueue([job()])
        await consumer.received(1)

        await stage.pass(stage.ticks(40))

        expect(consumer.deliveries).toHaveLength(1)
        gate.fire()
      },
      world: { visibility: 20 },
    },
    {
      title: 'delivers a job again that was sent again with a higher number, whatever became of the first',
      async run(stage) {
        await using consumer = new Consumer(stage)
        await stage.world.queue.enqueue([job('a', { dispatch: 0 })])
        await consumer.received(1)

        await stage.world.queue.enqueue([job('a', { dispatch: 1 })])
        await consumer.received(2)
        await stage.world.queue.enqueue([job('a', { dispatch: 2 }), job('b', { dispatch: 2 })])
        await consumer.received(4)

        expect(consumer.deliveries.map(({ job }) => job.dispatch).sort()).toEqual([0, 1, 2, 2])
      },
    },
    {
      title: 'delivers jobs of a higher priority first',
      async run(stage) {
        const priorities = [0, 5, -1, 9, 5]
        await stage.world.queue.enqueue(priorities.map((priority, index) => job(`n${index}`, { priority })))

        await using consumer = new Consumer(stage, { concurrency: 1 })

        await consumer.received(5)
        const { priorityLevel: levelOf = (priority) => priority } = stage.subject
        const highestFirst = [9, 5, 5, 0, -1]
        const delivered = consumer.deliveries.map(({ job }) => job.priority ?? 0)
        expect(delivered.toSorted((one, other) => other - one)).toEqual(highestFirst)
        expect(delivered.map(levelOf)).toEqual(highestFirst.map(levelOf))
        expect(levelOf(9), 'the queue tells a high priority from a low one').toBeGreaterThan(levelOf(-1))
      },
    },
    {
      title: 'takes a job out for good that is put among the dead letters, and keeps it there',
      needs: ['deadLetters'],
      async run(stage) {
        await using consumer = new Consumer(stage, { handle: async (delivery) => delivery.deadLetter('hopeless') })
        await stage.world.queue.enqueue([job('dead')])
        await consumer.received(1)

        await stage.pass(stage.ticks(40))

        expect(consumer.deliveries).toHaveLength(1)
        expect(JSON.stringify(await stage.world.deadLetters?.())).toContain('dead')
      },
      world: { visibility: 15 },
    },
    {
      title: 'puts a message that is no job among the dead letters, and goes on with the next',
      needs: ['push', 'deadLetters'],
      async run(stage) {
        await using consumer = new Consumer(stage)
        for (const message of [
          { nonsense: true },
          { runId: '../x', blueprintId: 'flow', nodeId: 'a' },
          'text',
          7,
          null,
          [],
        ]) {
          await stage.world.push?.(message)
        }
        await stage.world.queue.enqueue([job('good')])

        await consumer.received(1)
        expect(consumer.instances).toEqual(['good'])
        for (let turn = 0; turn < 100 && ((await stage.world.deadLetters?.()) ?? []).length < 6; turn++) {
          await stage.pass(stage.ticks(2))
        }
        expect(await stage.world.deadLetters?.()).toHaveLength(6)
      },
    },
    {
      title: 'delivers a job from outside Baton, and says that it is foreign',
      needs: ['push'],
      async run(stage) {
        await using consumer = new Consumer(stage)

        await stage.world.push?.({ runId: 'order-7', blueprintId: 'orders', nodeId: 'first', more: 'ignored' })

        await consumer.received(1)
        expect(consumer.deliveries[0]?.job).toEqual({
          runId: 'order-7',
          blueprintId: 'orders',
          nodeId: 'first',
          instanceId: 'first',
          dispatch: 0,
          foreign: true,
        })
      },
    },
    {
      title: 'stops consuming when its signal fires: takes nothing new, and ends with the last handler',
      async run(stage) {
        const gate = new Signal()
        let isDone = false
        const handle = async (delivery: Delivery) => {
          await gate.wait()
          await delivery.acknowledge()
          isDone = true
        }
        const consumer = new Consumer(stage, { concurrency: 1, handle })
        await stage.world.queue.enqueue([job('a'), job('b')])
        await consumer.received(1)

        const stopped = consumer.stop()
        gate.fire()
        await stopped

        expect(isDone).toBe(true)
        expect(consumer.deliveries).toHaveLength(1)
        await using next = new Consumer(stage)
        await next.received(1)
      },
    },
    {
      title: 'takes no harm from an answer that is given twice',
      async run(stage) {
        const handle = async (delivery: Delivery) => {
          await delivery.acknowledge()
          await Promise.allSettled([
            delivery.acknowledge(),
            delivery.handBack({ delayMs: 0 }),
            delivery.extend({ byMs: 1 }),
          ])
        }
        await using consumer = new Consumer(stage, { handle })
        await stage.world.queue.enqueue([job()])
        await consumer.received(1)

        await stage.world.queue.enqueue([job('b')])

        await consumer.received(2)
      },
    },
  ],
}
