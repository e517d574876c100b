/** An operator: says that he is ready, redrives a run when he is told to, and says which run it became. */
import { once } from 'node:events'
import { BatonClient } from '@baton/core'
import { FileRunStore } from '@baton/store-file'
import { mortal, type Point } from './mortal.ts'

interface RedriverOrders {
  readonly directory: string
  readonly runId: string
  readonly diesAt?: Point
}

const { directory, runId, diesAt } = JSON.parse(process.argv[2] ?? '{}') as RedriverOrders
const store = mortal(new FileRunStore({ directory }), diesAt)
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const handle = await new BatonClient({ store }).redrive(runId, { by: 'ada' })
process.stdout.write(`${handle.runId}\n`)
await store.close()
process.exit(0)
