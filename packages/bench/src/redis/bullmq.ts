import { randomUUID } from 'node:crypto'
import { FlowProducer, type Job, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from './contender.ts'
import { Ends } from './ends.ts'

interface Work {
  readonly run: string
  readonly node: number
  readonly input: number
}

const QUEUE = 'chain'
const kept = { removeOnComplete: true }

/**
 * BullMQ by itself, as one writes it by hand: a job per node, whose processor adds the next; a fan-out is a tree of its
 * FlowProducer. No run, no state, no retry of a run. It has no shared context.
 */
export const contender: RedisContender = {
  async open({ url, shape }: ContenderOptions): Promise<OpenContender> {
    const connection = new Redis(url, { maxRetriesPerRequest: null })
    const queue = new Queue<Work>(QUEUE, { connection })
    const producer = new FlowProducer({ connection })
    const ends = new Ends()
    const line = async ({ data: { run, node, input } }: Job<Work>) => {
      if (node + 1 < shape.size) await queue.add('node', { run, node: node + 1, input: input + 1 }, kept)
      else ends.tell(run, input + 1)
    }
    const fan = async (job: Job<Work>) => {
      const { run, input } = job.data
      if (job.name === 'branch') return input
      if (job.name === 'source') {
        const branch = { name: 'branch', queueName: QUEUE, data: { run, node: 0, input: 1 }, opts: kept }
        await producer.add({
          name: 'join',
          queueName: QUEUE,
          data: { run, node: 0, input: 0 },
          opts: kept,
          children: Array.from({ length: shape.size }, () => branch),
        })
        return 1
      }
      const values = Object.values(await job.getChildrenValues<number>())
      ends.tell(
        run,
        values.reduce((sum, value) => sum + value, 0),
      )
      return 1
    }
    const worker = new Worker<Work>(QUEUE, shape.form === 'line' ? line : fan, { connection, concurrency: CONCURRENCY })
    await worker.waitUntilReady()
    return {
      async run() {
        const run = randomUUID()
        const end = ends.of(run)
        await queue.add(shape.form === 'line' ? 'node' : 'source', { run, node: 0, input: 0 }, kept)
        return end
      },
      async [Symbol.asyncDispose]() {
        await worker.close()
        await queue.close()
        await producer.close()
        connection.disconnect()
      },
    }
  },
}
