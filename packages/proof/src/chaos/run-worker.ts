/**
 * A worker process under attack.
 *
 * It is not the sample of `apps/worker`, which is told a URL and opens its ports itself: here the store is watched, so that
 * node code can witness its fence and the process what the store has told it, and tests put a store between that breaks
 * a promise. Below that it is the same engine on the same ports.
 */
import type { ILogger, IRunStore } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import { backendOf } from './backends/index.ts'
import { flows } from './flows/index.ts'
import { enter } from './flows/node-code.ts'
import { watchedStore } from './watched-store.ts'

/** What a worker process is told, as JSON in its first argument. */
export interface WorkerOrders {
  readonly adapter: string
  readonly address: string
  /** The log that node code writes to. */
  readonly witness: string
  /** The folder of what is mended outside. */
  readonly outside: string
  readonly workerId: string
  readonly leaseMs: number
  readonly sweepMs: number
}

class AttackedAdapter extends BaseDistributedAdapter {}

/** @param spoil only tests do: a store that breaks a promise */
export async function runWorker(spoil: (store: IRunStore) => IRunStore = (store) => store): Promise<void> {
  const orders = JSON.parse(process.argv[2] ?? '{}') as WorkerOrders
  const { adapter: name, address, workerId, leaseMs, sweepMs } = orders
  const ports = await (await backendOf(name))?.open(address, { leaseMs })
  if (ports === undefined) throw new Error(`no backend ${name}`)
  const adapter = new AttackedAdapter({
    ...ports,
    store: watchedStore(spoil(ports.store), enter(orders)),
    runtimeOptions: { flows },
    workerId,
    leaseMs,
    sweepMs,
    stopWithinMs: 5_000,
    concurrency: 8,
    logger,
  })
  adapter.start()
  process.stdout.write('ready\n')
  const leave = () => void adapter.close().then(() => process.exit(0))
  process.once('SIGTERM', leave)
  // Whoever started us holds the other end: it is gone.
  process.stdin.on('end', () => process.exit(1)).resume()
}

/** What is wrong with the machinery is for whoever started us to see; that nodes fail is part of the flows. */
const logger: ILogger = {
  log(level, message, fields) {
    if (level === 'error') process.stdout.write(`error ${JSON.stringify({ message, ...fields })}\n`)
  },
}
