/** A worker of one version of the payments: `payment-worker.ts <folder> <version> <worker id>`. Leaves on SIGTERM. */
import { join } from 'node:path'
import { FileAdapter } from '@baton/store-file'
import { paymentsOf } from '../payments.ts'

const [directory = '', version = '', workerId = ''] = process.argv.slice(2)

const adapter = new FileAdapter({
  directory,
  workerId,
  runtimeOptions: paymentsOf(version, { path: join(directory, 'witness.txt'), workerId }),
  stopWithinMs: 5_000,
})
adapter.start()
process.stdout.write('ready\n')
process.once('SIGTERM', () => void adapter.close().then(() => process.exit(0)))
// Whoever started us holds the other end: it is gone.
process.stdin.on('end', () => process.exit(1)).resume()
