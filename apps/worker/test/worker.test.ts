import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BatonClient, type EventType, type RunEvent } from '@baton/core'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { flows } from './flows.ts'
import { startWorker, temporaryFolder } from './process.ts'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

const flowsFile = join(import.meta.dirname, 'flows.ts')

/** A worker on a folder, and a run whose only node it holds. */
async function worldWith(flow: string, env: Record<string, string> = {}) {
  const folder = temporaryFolder()
  const gate = join(folder, 'gate')
  writeFileSync(gate, '')
  const directory = join(folder, 'store')
  const worker = startWorker({
    BATON_STORE: `file:${directory}`,
    BATON_FLOWS: flowsFile,
    BATON_SWEEP_MS: '200',
    BATON_LOG: 'json',
    BATON_HEALTH_PORT: '0',
    ...env,
  })
  const store = new FileRunStore({ directory })
  const queue = new FileJobQueue({ directory })
  onTestFinished(async () => {
    await queue.close()
    await store.close()
  })
  const run = await new BatonClient({ store, queue, flows }).start(flow, gate)
  const until = async (type: EventType): Promise<RunEvent> => {
    for await (const event of run.stream()) if (event.type === type) return event
    throw new Error(`the journal ended without ${type}`)
  }
  const { health } = await worker.said('worker is ready')
  return { worker, run, gate, until, health: String(health) }
}

describe('an environment with mistakes', () => {
  it('is refused with one line for each of them and exit code 2, before anything is written', async () => {
    const folder = temporaryFolder()
    const worker = startWorker({
      BATON_STORE: `file:${folder}/store`,
      BATON_LEASE_MS: 'soon',
      BATON_LOG: 'xml',
      BATON_CONCURENCY: '4',
    })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    expect(worker.lines).toHaveLength(4)
    expect(worker.lines[0]).toContain('INVALID_OPTION BATON_LEASE_MS: must be a whole number')
    expect(worker.lines[2]).toContain('Did you mean BATON_CONCURRENCY?')
    expect(existsSync(join(folder, 'store'))).toBe(false)
  })

  it('names the package of a store that is not installed, and the flows that are not there', async () => {
    const worker = startWorker({ BATON_STORE: 'redis://localhost', BATON_FLOWS: './nowhere.js' })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    const [flowsLine, storeLine] = worker.lines
    expect(flowsLine).toContain('INVALID_OPTION BATON_FLOWS: there is no file')
    expect(storeLine).toContain('MISSING_ADAPTER BATON_STORE')
    expect(storeLine).toContain('npm install @baton/adapter-bullmq')
  })
})

describe('SIGTERM', () => {
  it('lets a running node finish, answers 503 meanwhile, and ends with 0', async () => {
    const { worker, run, gate, until, health } = await worldWith('polite')
    await until('node-claimed')
    const before = await fetch(health)

    worker.kill('SIGTERM')
    await worker.said('worker stops')
    const meanwhile = await fetch(health)
    rmSync(gate)

    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(before.status).toBe(200)
    expect(await before.json()).toMatchObject({ status: 'ok', running: 1, stopping: false })
    expect(meanwhile.status).toBe(503)
    expect(await meanwhile.json()).toMatchObject({ status: 'stopping', running: 1, stopping: true })
    expect(await run.result()).toBe('through')
  })

  it.each(['polite', 'stubborn'])('hands a %s node back when the bound is reached', async (flow) => {
    const { worker, run, until } = await worldWith(flow, { BATON_STOP_WITHIN_MS: '200' })
    await until('node-claimed')

    worker.kill('SIGTERM')

    expect(await worker.exit).toEqual({ code: 0, signal: null })
    const [hold] = (await run.record()).instances
    expect(hold).toMatchObject({ status: 'ready', lostLeases: 0 })
    expect(await until('node-released')).toMatchObject({ instanceId: 'hold' })
  })

  it('leaves at once when asked twice', async () => {
    const { worker, until } = await worldWith('polite')
    await until('node-claimed')

    worker.kill('SIGTERM')
    await worker.said('worker stops')
    worker.kill('SIGTERM')

    expect(await worker.exit).toEqual({ code: 143, signal: null })
  })
})

describe('a parent that is gone', () => {
  it('lets a running node finish and ends with 0, when the worker was told to go with its parent', async () => {
    const { worker, run, gate, until } = await worldWith('polite', { BATON_EXIT_WITH_PARENT: '1' })
    await until('node-claimed')

    worker.abandon()
    rmSync(gate)

    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(await run.result()).toBe('through')
  })

  it('is nothing to a worker that was not told so', async () => {
    const { worker, run, gate, until, health } = await worldWith('polite')
    await until('node-claimed')

    worker.abandon()
    rmSync(gate)

    expect(await run.result()).toBe('through')
    expect((await fetch(health)).status).toBe(200)
  })
})

it('answers anything but GET /health with 404, and refuses a port that is taken', async () => {
  const { health } = await worldWith('polite')
  const { port } = new URL(health)

  const elsewhere = await fetch(new URL('/metrics', health))
  const second = startWorker({
    BATON_STORE: `file:${temporaryFolder()}`,
    BATON_FLOWS: flowsFile,
    BATON_HEALTH_PORT: port,
  })

  expect(elsewhere.status).toBe(404)
  expect(await second.exit).toEqual({ code: 2, signal: null })
  expect(second.lines[0]).toContain('INVALID_OPTION BATON_HEALTH_PORT: cannot listen')
})
