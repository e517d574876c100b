import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlowRuntime } from '@baton/core'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { flows } from './flows.ts'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

const flowsFile = join(import.meta.dirname, 'flows.ts')

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-client-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A client process on the folder; `saw` resolves once its stderr has the text. */
function client(folder: string, ...args: string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BATON_'))
  const main = join(import.meta.dirname, '../src/main.ts')
  const child = spawn(process.execPath, ['--conditions=@baton/source', '--import', 'tsx', main, ...args], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...Object.fromEntries(inherited), BATON_STORE: `file:${folder}`, BATON_FLOWS: flowsFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => {
    out += data
  })
  const saw = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => err.includes(text) && resolve()
      child.stderr.on('data', look)
      child.once('close', () => reject(new Error(`the client ended without saying "${text}":\n${err}`)))
      look()
    })
  child.stderr.on('data', (data: Buffer) => {
    err += data
  })
  const end = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }))
  })
  return { end, saw, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}

/** A worker on the folder, in this process. */
async function work(directory: string): Promise<void> {
  const store = new FileRunStore({ directory })
  const queue = new FileJobQueue({ directory })
  const runtime = new FlowRuntime({ flows, store, queue, worker: { sweepMs: 100 } })
  onTestFinished(async () => {
    await runtime.stop()
    await queue.close()
    await store.close()
  })
  // A handle is what makes a runtime a worker.
  runtime.get('any')
}

describe('start', () => {
  it('works before any worker is up, says that it waits for one, and prints the result when there is', async () => {
    const folder = temporaryFolder()
    const started = client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'r-1')

    await started.saw('waiting for a worker that has greet@2')
    await work(folder)

    const { code, out, err } = await started.end
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ text: 'Hello, Ada' })
    expect(err).toContain('run completed')
  })

  it('exits with 1 for a run that failed, and says why', async () => {
    const folder = temporaryFolder()
    await work(folder)

    const { code, out, err } = await client(folder, 'start', 'fail').end

    expect(code).toBe(1)
    expect(out).toBe('')
    expect(err).toContain('on its face')
  })

  it('prints the journal as JSON lines and the result last', async () => {
    const folder = temporaryFolder()
    await work(folder)

    const { code, out } = await client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'r-1', '--json').end

    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(0)
    expect(lines.slice(0, -1).map(({ seq }) => seq)).toEqual(lines.slice(0, -1).map((_, index) => index + 1))
    expect(lines.at(-1)).toEqual({ runId: 'r-1', status: 'completed', output: { text: 'Hello, Ada' } })
  })

  it('can leave the run to itself, and another process can watch it later', async () => {
    const folder = temporaryFolder()

    const started = await client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'r-1', '--no-follow').end
    const before = await client(folder, 'status', 'r-1').end
    await work(folder)
    const watched = await client(folder, 'watch', 'r-1').end

    expect(started).toMatchObject({ code: 0, out: 'r-1\n' })
    expect(before).toMatchObject({ code: 0, out: 'pending\n' })
    expect(watched.code).toBe(0)
    expect(JSON.parse(watched.out)).toEqual({ text: 'Hello, Ada' })
  })

  it('stops following on Ctrl-C and says that the run goes on', async () => {
    const folder = temporaryFolder()
    const started = client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'r-1')
    await started.saw('started as r-1')

    started.kill('SIGINT')

    const { code, err } = await started.end
    expect(code).toBe(130)
    expect(err).toContain('the run goes on: baton-client watch r-1')
  })
})

it('brings an approval from one process to a run that another one follows', async () => {
  const folder = temporaryFolder()
  await work(folder)
  const started = client(folder, 'start', 'ask', '--run-id', 'r-1')
  await started.saw('waits for approval boss; to answer: baton-client approve r-1')

  const approved = await client(folder, 'approve', 'r-1', '--by', 'Grace').end

  expect(approved.code).toBe(0)
  const { code, out } = await started.end
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({ approved: true, by: 'Grace' })
})

describe('bad input ends with 2 and one line that says what to do', () => {
  it.each([
    { typed: ['strat', 'greet'], says: 'Did you mean start?' },
    { typed: ['start', 'great'], says: 'UNKNOWN_FLOW' },
    { typed: ['start', 'greet', '--run-id', 'no good'], says: 'INVALID_ID runId' },
    { typed: ['start', 'greet', '--flows', './nowhere.js'], says: 'INVALID_OPTION --flows: there is no file' },
    { typed: ['watch', 'nobody'], says: 'UNKNOWN_RUN' },
  ])('$typed', async ({ typed, says }) => {
    const { code, out, err } = await client(temporaryFolder(), ...typed).end

    expect(err).toContain(says)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})
