/** Waits for a line's turn, then claims every instance of a run as fast as it can, and prints those it got. */
import { FileRunStore } from '../../src/run-store.ts'
import { claimOf, newRun } from '../runs.ts'

const [directory = '', startAtMs = '0', instances = '0'] = process.argv.slice(2)
const store = new FileRunStore({ directory })
const starts = Array.from({ length: Number(instances) }, (_, index) => `n${index}`)
while (Date.now() < Number(startAtMs)) await new Promise((resolve) => setTimeout(resolve, 1))

const created = await store.create(newRun('race', { starts }))
process.stdout.write(`${created.status}\n`)
await Promise.all(
  starts.map(async (instanceId) => {
    const result = await store.claim(claimOf('race', instanceId, `w${process.pid}`))
    if (result.status === 'claimed') process.stdout.write(`${instanceId} ${result.claim.fence}\n`)
  }),
)
await store.close()
