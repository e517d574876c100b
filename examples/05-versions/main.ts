/**
 * A rolling deploy: version 1.0.0 and 2.0.0 of a payment, side by side, each run on the version that it began with.
 *
 * The workers are processes; they and this program share a folder, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { BatonClient, type RunHandle } from '@baton/core'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { codeOf } from './payments.ts'

const directory = mkdtempSync(join(tmpdir(), 'baton-versions-'))
const witness = join(directory, 'witness.txt')

const store = new FileRunStore({ directory })
const queue = new FileJobQueue({ directory })
// Whoever starts runs knows the version that new runs are to have; here first the one, then the other.
const before = new BatonClient({ store, queue, ...codeOf('1.0.0', witness) })
const after = new BatonClient({ store, queue, ...codeOf('2.0.0', witness) })

const old = await deploy('1.0.0')
const early = await before.start('payment-processor', { euros: 80 }, { runId: 'payment-1' })
await paused(early)

console.log('2.0.0 is deployed beside 1.0.0, and new payments start on it')
const young = await deploy('2.0.0')
const late = await after.start('payment-processor', { euros: 20 }, { runId: 'payment-2' })
await paused(late)

console.log('the last worker with 1.0.0 leaves, while payment-1 waits for its bank')
await leave(old)

for (const run of [early, late]) await run.signal('bank', 'taken')
console.log(`payment-2: ${await late.result()}`)
for (const { flowId, version, count } of await listed())
  console.log(`${count} waits for a worker with ${flowId}@${version}`)

console.log('a worker with 1.0.0 comes back')
const again = await deploy('1.0.0')
console.log(`payment-1: ${await early.result()}`)

await Promise.all([leave(young), leave(again)])
await queue.close()
await store.close()
console.log(readFileSync(witness, 'utf8').trim())

async function deploy(version: string): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [...process.execArgv, 'worker.ts', directory, version], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Nobody shall be left behind when this program is stopped half-way.
  process.once('exit', () => worker.kill('SIGKILL'))
  await once(worker.stdout, 'data')
  return worker
}

/** Lets what runs there come to an end. */
async function leave(worker: ChildProcess): Promise<void> {
  worker.kill('SIGTERM')
  await once(worker, 'exit')
}

async function paused(run: RunHandle): Promise<void> {
  for await (const { type } of run.stream()) if (type === 'run-paused') return
}

/** What waits for a version. The worker that lacks it may be on its way to say so. */
async function listed() {
  for (;;) {
    const lists = await before.waitingForWorker()
    if (lists.length > 0) return lists
    await setTimeout(20)
  }
}
