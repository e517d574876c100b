/**
 * A worker process under attack.
 *
 * It is not the sample of `apps/worker`, which is told a URL and opens its ports itself: here the store is watched, so that
 * node code can witness its fence and the process what the store has told it, and tests put a store between that breaks
 * a promise. Below that it is the same engine on the same ports.
 */
import { createInterface } from 'node:readline'
import type { ILogger, IRunStore } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import { backendOf } from './backends/index.ts'
import { flows } from './flows/index.ts'
import { enter } from './flows/node-code.ts'
import { watchedStore } from './watched-store.ts'
import type { Witness } from './witness.ts'

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

type Spoil = (store: IRunStore) => IRunStore

/**
 * Works until SIGTERM. A line on stdin tells it to leave, or to join again, and it says when that is done.
 * @param spoil only tests do: a store that breaks a promise
 */
export async function runWorker(spoil: Spoil = (store) => store): Promise<void> {
  const orders = JSON.parse(process.argv[2] ?? '{}') as WorkerOrders
  const witness = enter(orders)
  let adapter = await begin(orders, witness, spoil)
  say('ready')
  process.once('SIGTERM', () => void adapter.close().then(() => process.exit(0)))
  const obey = async (order: string) => {
    if (order === 'leave') {
      await adapter.close()
      say('left')
    } else {
      adapter = await begin(orders, witness, spoil)
      say('ready')
    }
  }
  const told = createInterface(process.stdin)
  told.on('line', (order) => void obey(order))
  // Whoever started us holds the other end: it is gone.
  told.on('close', () => process.exit(1))
}

/** With ports of its own, which are closed with it. */
async function begin(orders: WorkerOrders, witness: Witness, spoil: Spoil): Promise<BaseDistributedAdapter> {
  const { adapter: name, address, workerId, leaseMs, sweepMs } = orders
  const ports = await (await backendOf(name))?.open(address, { leaseMs })
  if (ports === undefined) throw new Error(`no backend ${name}`)
  const adapter = new AttackedAdapter({
    ...ports,
    store: watchedStore(spoil(ports.store), witness),
    runtimeOptions: { flows },
    workerId,
    leaseMs,
    sweepMs,
    stopWithinMs: 5_000,
    concurrency: 8,
    logger,
  })
  adapter.start()
  return adapter
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** What is wrong with the machinery is for whoever started us to see; that nodes fail is part of the flows. */
const logger: ILogger = {
  log(level, message, fields) {
    if (level === 'error') say(`error ${JSON.stringify({ message, ...fields })}`)
  },
}
