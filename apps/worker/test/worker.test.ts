import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
    const worker = startWorker({ BATON_STORE: 'sqlite:./runs.db', BATON_FLOWS: './nowhere.js' })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    const [flowsLine, storeLine] = worker.lines
    expect(flowsLine).toContain('INVALID_OPTION BATON_FLOWS: there is no file')
    expect(storeLine).toContain('MISSING_ADAPTER BATON_STORE')
    expect(storeLine).toContain('npm install @baton/adapter-sqlite')
  })
})

describe('nothing is written', () => {
  it.each([
    { what: 'a module without flows', env: { BATON_FLOWS: 'package.json' }, says: 'INVALID_OPTION BATON_FLOWS' },
    {
      what: 'an address to serve health on that is not ours',
      env: { BATON_HEALTH_PORT: '0', BATON_HEALTH_HOST: '192.0.2.1' },
      says: 'INVALID_OPTION BATON_HEALTH_HOST: cannot listen on 192.0.2.1:0',
    },
    { what: 'a queue that nobody serves', env: { BATON_QUEUE: 'sqlite:./jobs' }, says: 'MISSING_ADAPTER BATON_QUEUE' },
  ])('for $what', async ({ env, says }) => {
    const folder = temporaryFolder()
    const worker = startWorker({ BATON_STORE: `file:${folder}/store`, BATON_FLOWS: flowsFile, ...env })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    expect(worker.lines).toEqual([expect.stringContaining(says)])
    expect(readdirSync(folder)).toEqual([])
  })

  it('for all that is wrong outside of the environment, which is said at once', async () => {
    const env = { BATON_FLOWS: './nowhere.js', BATON_HEALTH_PORT: '0', BATON_HEALTH_HOST: '192.0.2.1' }
    const worker = startWorker({ ...env, BATON_STORE: `file:${join(import.meta.dirname, 'flows.ts')}` })

    expect(await worker.exit).toEqual({ code: 2, signal: null })
    expect(worker.lines.map((line) => /BATON_\w+/.exec(line)?.[0])).toEqual([
      'BATON_FLOWS',
      'BATON_STORE',
      'BATON_HEALTH_HOST',
    ])
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

  it.each(['deaf', 'deaf-in-step'])('ends with 0 within the bound while a %s node runs on', async (flow) => {
    const { worker, until } = await worldWith(flow, { BATON_STOP_WITHIN_MS: '1000' })
    await until('node-claimed')

    const askedAtMs = performance.now()
    worker.kill('SIGTERM')

    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(performance.now() - askedAtMs).toBeLessThan(1_000 + 1_500)
  })

  it('takes two signals in a row for one', async () => {
    const { worker, run, gate, until } = await worldWith('polite')
    await until('node-claimed')

    worker.kill('SIGTERM')
    await worker.said('worker stops')
    worker.kill('SIGTERM')
    // Nothing is said about the second one: time enough for it to end a worker that takes it for an order of its own.
    await new Promise((resolve) => setTimeout(resolve, 100))
    rmSync(gate)

    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect(await run.result()).toBe('through')
  })

  it('leaves at once when asked again', async () => {
    const { worker, until } = await worldWith('polite')
    await until('node-claimed')

    worker.kill('SIGTERM')
    await worker.said('worker stops')
    // Those that come right after the first count as one with it.
    const again = setInterval(() => worker.kill('SIGTERM'), 50)

    expect(await worker.exit).toEqual({ code: 143, signal: null })
    clearInterval(again)
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
