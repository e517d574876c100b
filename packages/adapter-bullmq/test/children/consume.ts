/** Takes jobs and prints the node of each; never answers for any. */
import { BullMQJobQueue } from '../../src/index.ts'

const [connection = '', prefix = '', visibilityMs = '30000'] = process.argv.slice(2)
const queue = new BullMQJobQueue({ connection, prefix, visibilityMs: Number(visibilityMs) })

await queue.consume(
  async ({ job }) => {
    process.stdout.write(`${job.nodeId}\n`)
    await new Promise(() => {})
  },
  { concurrency: 4, signal: new AbortController().signal },
)
