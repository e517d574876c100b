/** The worker process of `npm run chaos`. */
import { runWorker } from './run-worker.ts'

await runWorker()
