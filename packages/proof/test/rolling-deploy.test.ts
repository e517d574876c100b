/** Two versions of the payments of seed 001, deployed and drained in real processes that share a folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { BatonClient, type RunHandle } from '@baton/core'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { paymentsOf, ranIn } from './payments.ts'

const V1 = '1.0.0'
const V2 = '2.0.0'
const PROGRAM = join(import.meta.dirname, 'children/payment-worker.ts')
const NODE_FLAGS = ['--conditions=@baton/source', '--import', 'tsx']

let directory: string
let witness: string
let store: FileRunStore
let queue: FileJobQueue
/** How to end what is left of a test that failed. */
let leftovers: (() => void)[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'baton-rolling-'))
  witness = join(directory, 'witness.txt')
  store = new FileRunStore({ directory })
  queue = new FileJobQueue({ directory })
  leftovers = []
})

afterEach(async () => {
  for (const end of leftovers) end()
  await queue.close()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const clientOf = (version: string) =>
  new BatonClient({ store, queue, ...paymentsOf(version, { path: witness, workerId: 'client' }) })

interface Deployed {
  /** @returns the exit code */
  drain(): Promise<number | null>
}

async function deploy(version: string, ...workerIds: string[]): Promise<Deployed> {
  const workers = workerIds.map((workerId) => {
    const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, directory, version, workerId], {
      cwd: import.meta.dirname,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    leftovers.push(() => child.kill('SIGKILL'))
    return child
  })
  await Promise.all(workers.map((child) => once(child.stdout, 'data')))
  return {
    async drain() {
      const codes = workers.map(async (child) => {
        const exit = once(child, 'exit') as Promise<[number | null]>
        child.kill('SIGTERM')
        return (await exit)[0]
      })
      return Math.max(...(await Promise.all(codes)).map((code) => code ?? 99))
    },
  }
}

async function start(client: BatonClient, version: string, ...runIds: string[]): Promise<RunHandle[]> {
  return Promise.all(
    runIds.map((runId) => client.start('payment-processor', { euros: 1 }, { runId, version })),
  ) as Promise<RunHandle[]>
}

async function paused(handles: readonly RunHandle[]): Promise<void> {
  for (const handle of handles) for await (const { type } of handle.stream()) if (type === 'run-paused') break
}

const results = (handles: readonly RunHandle[]) => Promise.all(handles.map((handle) => handle.result()))
const ids = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)

it('loses nothing and mixes nothing while two versions come and go', { timeout: 120_000 }, async () => {
  const [before, after] = [clientOf(V1), clientOf(V2)]
  const old = await deploy(V1, 'old-1', 'old-2')
  const early = await start(before, V1, ...ids('early', 12))
  await paused(early)
  const [settled, left] = [early.slice(0, 4), early.slice(4)]

  // Side by side: new runs on the new version, old ones go on where they were begun.
  const young = await deploy(V2, 'young-1', 'young-2')
  const late = await start(after, V2, ...ids('late', 12))
  await paused(late)
  for (const { runId } of settled) await after.signal(runId, 'bank', 'taken')
  expect(await results(settled)).toEqual(settled.map(() => `taken by ${V1}`))

  // The old ones leave; what waits for its bank stays behind, and somebody starts one more.
  expect(await old.drain()).toBe(0)
  const [straggler] = await start(before, V1, 'straggler')
  for (const { runId } of [...left, ...late]) await after.signal(runId, 'bank', 'taken')
  const receipts = await Promise.all(ids('receipt', 6).map((runId) => after.start('receipts', 'thanks', { runId })))
  expect(await results(late)).toEqual(late.map(() => `taken by ${V2}`))
  expect(await results(receipts)).toEqual(receipts.map(() => 'thanks'))
  for (;;) {
    const [list] = await after.waitingForWorker()
    if (list?.count === left.length + 1) break
    await setTimeout(20)
  }
  expect(await after.waitingForWorker()).toMatchObject([{ flowId: 'payment-processor', version: V1 }])
  for (const handle of left) expect(await handle.summary()).toMatchObject({ status: 'running', pendingWorker: {} })

  // One of the old version comes back.
  const again = await deploy(V1, 'again')
  await straggler?.signal('bank', 'taken')
  expect(await results(left)).toEqual(left.map(() => `taken by ${V1}`))
  expect(await straggler?.result()).toBe(`taken by ${V1}`)
  expect([await again.drain(), await young.drain()]).toEqual([0, 0])

  expect(await after.waitingForWorker()).toEqual([])
  expect((await after.listRuns({ status: ['pending', 'running', 'paused', 'cancelling'] })).runs).toEqual([])
  const ran = ranIn(witness)
  for (const { runId } of [...early, ...(straggler === undefined ? [] : [straggler]), ...late]) {
    const own = ran.filter((one) => one.runId === runId)
    const version = runId.startsWith('late') ? V2 : V1
    expect(new Set(own.map((one) => one.version)), runId).toEqual(new Set([version]))
    // Its process node is entered twice, unless the bank's answer was there first.
    const times = runId === 'straggler' ? own.filter(({ instanceId }) => instanceId === 'process').length - 1 : 2
    const entries = ['validate', 'process', ...Array.from({ length: times }, () => 'process')]
    expect(own.map(({ instanceId }) => instanceId)).toEqual(version === V2 ? [...entries, 'audit'] : entries)
  }
  for (const { runId } of receipts) {
    expect(ran.filter((one) => one.runId === runId).map(({ instanceId }) => instanceId)).toEqual(['write', 'send'])
  }
  for (const { runId } of [...early, ...late]) {
    const { metrics } = (await after.getRun(runId)) ?? {}
    expect(metrics).toMatchObject({ lostLeases: 0 })
  }
})
