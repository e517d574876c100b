import { BatonClient, createFlow } from '@baton/core'
import { Registry, Worker } from '@baton/core/adapter'
import { FileCoordinationStore, FileJobQueue, FileRunStore } from '@baton/store-file'

const counting = createFlow('counting', { version: '1' })
  .node('count', async ({ step }) => {
    let sum = 0
    for (let turn = 1; turn <= 8; turn++) {
      sum += await step(`turn ${turn}`, async () => {
        console.log(`turn ${turn}`)
        await new Promise((resolve) => setTimeout(resolve, 500))
        return turn
      })
    }
    return { output: sum }
  })
  .node('report', ({ input }) => ({ output: `the sum is ${input}` }))
  .edge('count', 'report')

const directory = '.baton'
const store = new FileRunStore({ directory })
const queue = new FileJobQueue({ directory })

if (process.argv[2] === 'worker') {
  const coordinationStore = new FileCoordinationStore({ directory })
  const registry = new Registry({ flows: [counting] })
  const worker = new Worker({ store, queue, coordinationStore, registry, leaseMs: 3_000, sweepMs: 1_000 })
  worker.start()
  process.once('SIGINT', () => worker.stop().then(() => process.exit(0)))
} else {
  const client = new BatonClient({ store, queue, flows: [counting] })
  const handle = await client.start(counting, undefined, { runId: 'first' })
  console.log(await handle.result()) // the sum is 36
  process.exit(0)
}
