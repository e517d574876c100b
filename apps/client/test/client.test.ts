import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatonClient, createFlow, FlowRuntime, parseRunId, type RunnableFlow } from '@baton/core'
import { Schedules } from '@baton/schedule'
import { houseProgram } from '@baton/services'
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
  const { file, nodeFlags } = houseProgram(join(import.meta.dirname, '../src/main.ts'), { typescript: true })
  const child = spawn(process.execPath, [...nodeFlags, file, ...args], {
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
async function work(directory: string, its: readonly RunnableFlow[] = flows): Promise<void> {
  const store = new FileRunStore({ directory })
  const queue = new FileJobQueue({ directory })
  const runtime = new FlowRuntime({ flows: [...its], store, queue, worker: { sweepMs: 100 } })
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

it('says at once what is wrong with the flows and with the store', async () => {
  const { code, err } = await client(flowsFile, 'start', 'greet', '--flows', './nowhere.js').end

  expect(code).toBe(2)
  expect(err).toMatch(/^.*INVALID_OPTION --flows: .*\n.*INVALID_OPTION BATON_STORE: .* is not a folder.*\n$/)
})

it('says with the status what a run waits for', async () => {
  const folder = temporaryFolder()
  await work(folder)
  for (const flow of ['ask', 'listen']) {
    const started = client(folder, 'start', flow, '--run-id', flow)
    await started.saw('waits for')
    started.kill('SIGINT')
    await started.end
  }

  const asks = await client(folder, 'status', 'ask').end
  const listens = await client(folder, 'status', 'listen').end

  const paused = { code: 0, out: 'paused\n' }
  expect(asks).toMatchObject(paused)
  expect(asks.err).toBe('baton-client: waits for approval boss; to answer: baton-client approve ask\n')
  expect(listens).toMatchObject(paused)
  expect(listens.err).toBe('baton-client: waits for signal paid; to answer: baton-client signal listen paid\n')
})

it('says with the status what keeps a run from beginning: a slot, or a worker with its version', async () => {
  const folder = temporaryFolder()
  for (const id of ['first', 'second']) await client(folder, 'start', 'one-by-one', '--run-id', id, '--no-follow').end
  await client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'old', '--no-follow').end
  const others = flows.filter((flow) => flow.toBlueprint().id !== 'greet')
  await work(folder, others)
  const store = new FileRunStore({ directory: folder })
  const lists = () => store.summary(parseRunId('old'))
  await vi.waitUntil(async () => (await lists())?.pendingWorker !== undefined, { timeout: 30_000 })

  const second = await client(folder, 'status', 'second').end
  const old = await client(folder, 'status', 'old').end

  expect(second).toMatchObject({ code: 0, out: 'pending\n' })
  expect(second.err).toMatch(
    /^baton-client: waits for a slot, at most 1 run of one-by-one at a time, since \d{4}-.*Z\n$/,
  )
  expect(old).toMatchObject({ code: 0, out: 'pending\n' })
  expect(old.err).toMatch(/^baton-client: waits for a worker with greet@2, since \d{4}-.*Z\n$/)
})

it('says that what keeps a limit is neither paused nor cancelled', async () => {
  const folder = temporaryFolder()
  await client(folder, 'start', 'one-by-one', '--run-id', 'first', '--no-follow').end
  const limiter = 'baton:limit:one-by-one:runs'

  const paused = await client(folder, 'pause', limiter, '--reason', 'a try').end
  const unpaused = await client(folder, 'unpause', limiter).end
  const cancelled = await client(folder, 'cancel', limiter).end

  const told = `baton-client: ${limiter} keeps a limit: nobody can pause or cancel it\n`
  for (const said of [paused, unpaused, cancelled]) expect(said).toEqual({ code: 1, out: '', err: told })
})

it('pauses a run that is then not taken up, says who and why, and lets it go on', async () => {
  const folder = temporaryFolder()
  await client(folder, 'start', 'greet', '--input', '"Ada"', '--run-id', 'r-1', '--no-follow').end

  const paused = await client(folder, 'pause', 'r-1', '--reason', 'the bank asks', '--by', 'Grace').end
  await work(folder)
  const status = await client(folder, 'status', 'r-1').end
  const unpaused = await client(folder, 'unpause', 'r-1', '--by', 'Grace').end
  const watched = await client(folder, 'watch', 'r-1').end

  expect(paused).toMatchObject({ code: 0, err: 'baton-client: r-1 is paused\n' })
  const told = 'baton-client: paused by Grace: the bank asks; to let it go on: baton-client unpause r-1\n'
  expect(status).toEqual({ code: 0, out: 'paused\n', err: told })
  expect(unpaused).toMatchObject({ code: 0, err: 'baton-client: r-1 goes on\n' })
  expect(watched.code).toBe(0)
  expect(JSON.parse(watched.out)).toEqual({ text: 'Hello, Ada' })
  expect((await client(folder, 'pause', 'r-1', '--reason', 'late').end).code).toBe(1)
})

it('lists work that has failed for good, and redrives it once', async () => {
  const folder = temporaryFolder()
  await work(folder)
  expect((await client(folder, 'start', 'fail', '--run-id', 'r-1').end).code).toBe(1)

  const listed = await client(folder, 'dead-letters').end
  const redriven = await client(folder, 'redrive', 'r-1').end
  const again = await client(folder, 'redrive', 'r-1', '--by', 'Grace').end
  await client(folder, 'watch', 'r-1:redrive').end
  const letters = await client(folder, 'dead-letters', '--flow', 'fail', '--json').end

  expect(listed.out).toMatch(/^r-1 {2}\S+ {2}.*on its face.* \(1 attempt\)\n$/)
  expect([redriven.out, again.out]).toEqual(['r-1:redrive\n', 'r-1:redrive\n'])
  const told = letters.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(told.map(({ runId, redrivenAs }) => [runId, redrivenAs])).toEqual([
    ['r-1:redrive', undefined],
    ['r-1', 'r-1:redrive'],
  ])
})

it('tells a run that nobody knows from a store that is not there', async () => {
  const folder = temporaryFolder()
  await work(folder)

  const { code, err } = await client(folder, 'watch', 'nobody').end

  expect(code).toBe(2)
  expect(err).toContain('UNKNOWN_RUN')
})

describe('bad input ends with 2 and one line that says what to do, and nothing is written', () => {
  it.each([
    { typed: ['strat', 'greet'], says: 'Did you mean start?' },
    { typed: ['start', 'great'], says: 'UNKNOWN_FLOW' },
    { typed: ['start', 'greet', '--flow-version', '7'], says: 'UNKNOWN_FLOW' },
    { typed: ['start', 'greet', '--run-id', '../x'], says: 'INVALID_ID --run-id' },
    { typed: ['start', 'greet', '--input', '{"__proto__":1}'], says: '--input' },
    { typed: ['start', 'greet', '--flows', './nowhere.js'], says: 'INVALID_OPTION --flows: there is no file' },
    { typed: ['status', 'abc'], says: 'INVALID_OPTION BATON_STORE: there is no store in' },
    { typed: ['approve', 'abc'], says: 'INVALID_OPTION BATON_STORE: there is no store in' },
  ])('$typed', async ({ typed, says }) => {
    const folder = temporaryFolder()

    const { code, out, err } = await client(folder, ...typed).end

    expect(err).toContain(says)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(readdirSync(folder)).toEqual([])
  })
})

it('shows the schedules, and when they start something next', async () => {
  const folder = temporaryFolder()
  const store = new FileRunStore({ directory: folder })
  await new Schedules({ store }).create({
    id: 'nightly',
    flow: 'report',
    cron: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    startAtMs: Date.UTC(2999, 0, 1),
  })
  await store.close()

  const { code, out } = await client(folder, 'schedules').end

  expect({ code, out }).toEqual({
    code: 0,
    out: 'nightly  active  report  0 3 * * * Europe/Berlin  2999-01-01T02:00:00.000Z\n',
  })
})

it('says when a run begins that was started for later', async () => {
  const folder = temporaryFolder()
  const store = new FileRunStore({ directory: folder })
  const flow = createFlow('later').node('work', () => ({}))
  await new BatonClient({ store, flows: [flow] }).start(flow, undefined, {
    runId: 'r-1',
    startAtMs: Date.UTC(2999, 0, 1),
  })
  await store.close()

  const { out, err } = await client(folder, 'status', 'r-1').end

  expect(out).toBe('pending\n')
  expect(err).toContain('begins at 2999-01-01T00:00:00.000Z')
})
