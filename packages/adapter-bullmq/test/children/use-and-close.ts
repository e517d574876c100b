/** Sends a job, takes it, closes the queue, and should end by itself. */
import { parseJob } from '@baton/core/adapter'
import { BullMQJobQueue, RedisCoordinationStore } from '../../src/index.ts'

const [connection = '', prefix = ''] = process.argv.slice(2)
const queue = new BullMQJobQueue({ connection, prefix })
const store = new RedisCoordinationStore(connection, { prefix })
const stop = new AbortController()

await store.increment('n')
await queue.enqueue([parseJob({ runId: 'run', blueprintId: 'flow', instanceId: 'a', dispatch: 0 })])
await queue.consume(
  async (delivery) => {
    process.stdout.write(`${delivery.job.nodeId}\n`)
    await delivery.acknowledge()
    stop.abort()
  },
  { concurrency: 4, signal: stop.signal },
)
await queue.close()
await store.close()
process.stdout.write('closed\n')
