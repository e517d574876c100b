/** A worker that dies where it is told to, and leaves on SIGTERM. */
import { BaseDistributedAdapter } from '@baton/core/adapter'
import { FileCoordinationStore, FileJobQueue, FileRunStore } from '@baton/store-file'
import { mortalFlows, TIMES } from '../mortal-flows.ts'
import { type MortalOrders, mortal } from './mortal.ts'

class MortalAdapter extends BaseDistributedAdapter {}

const { directory, workerId, seatVersion, diesAt } = JSON.parse(process.argv[2] ?? '{}') as MortalOrders
const { leaseMs, sweepMs, redispatchMs } = TIMES

const adapter = new MortalAdapter({
  store: mortal(new FileRunStore({ directory, redispatchMs }), diesAt),
  queue: new FileJobQueue({ directory, visibilityMs: leaseMs }),
  coordinationStore: new FileCoordinationStore({ directory }),
  runtimeOptions: { flows: mortalFlows(directory, { workerId, seatVersion }).all },
  workerId,
  leaseMs,
  sweepMs,
  stopWithinMs: 5_000,
})
adapter.start()
process.stdout.write('ready\n')
process.once('SIGTERM', () => void adapter.close().then(() => process.exit(0)))
// Whoever started us holds the other end: it is gone.
process.stdin.on('end', () => process.exit(1)).resume()
