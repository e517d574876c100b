/** Takes jobs and prints the node of each; keeps the first `hold` of them for ever. */
import { FileJobQueue } from '../../src/job-queue.ts'

const [directory = '', hold = '0', visibilityMs = '30000'] = process.argv.slice(2)
const queue = new FileJobQueue({ directory, visibilityMs: Number(visibilityMs) })
let held = 0

await queue.consume(
  async (delivery) => {
    process.stdout.write(`${delivery.job.nodeId}\n`)
    if (held++ < Number(hold)) await new Promise(() => {})
    await delivery.acknowledge()
  },
  { concurrency: 4, signal: new AbortController().signal },
)
