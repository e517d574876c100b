/** Real processes that share a folder and die with SIGKILL at chosen points; others take over. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { BatonClient, type RunEvent, type RunHandle } from '@baton/core'
import { Schedules } from '@baton/schedule'
import { FileJobQueue, FileRunStore } from '@baton/store-file'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MortalOrders, Point } from './children/mortal.ts'
import { DONE, mortalFlows, seatOf, TIMES, witnessedIn } from './mortal-flows.ts'

const NODE_FLAGS = ['--conditions=@baton/source', '--import', 'tsx']
const MINUTE = { timeout: 60_000 }
const SOON = { timeout: 20_000, interval: 20 }

type Flows = ReturnType<typeof mortalFlows>

let directory: string
let store: FileRunStore
let queue: FileJobQueue
let client: BatonClient
let flows: Flows
/** How to end what is left of a test that failed. */
let leftovers: (() => void)[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'baton-killed-at-'))
  store = new FileRunStore({ directory, redispatchMs: TIMES.redispatchMs })
  queue = new FileJobQueue({ directory, visibilityMs: TIMES.leaseMs })
  flows = mortalFlows(directory, { workerId: 'client', seatVersion: '2' })
  client = new BatonClient({ store, queue, flows: flows.all })
  leftovers = []
})

afterEach(async () => {
  for (const end of leftovers) end()
  await queue.close()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

class Process {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  /** By which signal it died, or with which code it ended. */
  readonly end: Promise<string | number>

  constructor(program: string, orders: object) {
    const path = join(import.meta.dirname, 'children', program)
    this.#child = spawn(process.execPath, [...NODE_FLAGS, path, JSON.stringify(orders)], {
      cwd: import.meta.dirname,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    leftovers.push(() => this.#child.kill('SIGKILL'))
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
    this.end = once(this.#child, 'close').then(([code, signal]) => signal ?? code)
  }

  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next()
    return done === true ? undefined : value
  }

  say(text: string): void {
    this.#child.stdin.write(`${text}\n`)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    expect(await this.end).toBe('SIGKILL')
  }
}

/** A worker that is at work. */
async function hire(workerId: string, orders: Partial<MortalOrders> = {}): Promise<Process> {
  const worker = new Process('mortal-worker.ts', { directory, workerId, seatVersion: '2', ...orders })
  expect(await worker.line()).toBe('ready')
  return worker
}

async function until(handle: RunHandle, isIt: (event: RunEvent) => boolean): Promise<void> {
  for await (const event of handle.stream()) if (isIt(event)) return
}

/** Of the whole row, where runs go on as new. */
async function journalOf(handle: RunHandle): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of handle.stream({ live: false })) events.push(event)
  return events
}

const idsOf = async (flowId: string) => (await client.listRuns({ flowId })).runs.map(({ runId }) => runId).sort()

describe('a run that goes on as new', () => {
  const points: readonly Point[] = [
    { method: 'create', when: 'before', with: '"runId":"row@2"' },
    { method: 'create', when: 'after', with: '"runId":"row@2"' },
    { method: 'notify', when: 'before', with: '"continued"' },
    { method: 'delivered', when: 'before', with: 'row@2' },
  ]

  it.each(points)('goes on though its worker dies $when $method of $with', MINUTE, async (diesAt) => {
    const first = await hire('first', { diesAt })
    const handle = await client.start(flows.row, 1, { runId: 'row' })
    expect(await first.end).toBe('SIGKILL')

    await hire('second')

    expect(await handle.result()).toBe('reached 4')
    expect(await idsOf('row')).toEqual(['row', 'row@2', 'row@3', 'row@4'])
    const ends = (await journalOf(handle)).filter(({ type }) => type === 'run-completed')
    expect(ends).toHaveLength(4)
  })

  it('is there for a client before anybody has made its successor', MINUTE, async () => {
    const first = await hire('first', { diesAt: { method: 'create', when: 'before', with: '"runId":"row@2"' } })
    const handle = await client.start(flows.row, 1, { runId: 'row' })
    expect(await first.end).toBe('SIGKILL')
    expect(await store.summary('row@2' as RunHandle['runId'])).toBeUndefined()

    // No worker lives: whoever asks makes it.
    expect(await handle.status()).toBe('pending')
    expect(await handle.cancel('called off')).toBe(true)

    expect(await handle.status()).toBe('cancelled')
    expect(await idsOf('row')).toEqual(['row', 'row@2'])
  })
})

describe('work for a version that nobody has', () => {
  const startOld = () =>
    new BatonClient({ store, queue, flows: [seatOf('1')] }).start('seat', undefined, { runId: 'seat-1' })

  it.each(['before', 'after'] as const)('waits though who enlists it dies %s that', MINUTE, async (when) => {
    const first = await hire('first', { diesAt: { method: 'enlist', when, with: 'seat-1' } })
    const handle = await startOld()
    expect(await first.end).toBe('SIGKILL')

    await hire('second')
    await expect.poll(() => client.waitingForWorker(), SOON).toMatchObject([{ flowId: 'seat', version: '1', count: 1 }])
    await handle.signal('stand', 'risen')
    await hire('old', { seatVersion: '1' })

    expect(await handle.result()).toBe('risen by 1')
    expect(await client.waitingForWorker()).toEqual([])
    const claims = (await journalOf(handle)).filter(({ type }) => type === 'node-claimed')
    expect(claims.map((event) => 'workerId' in event && event.workerId)).toEqual(claims.map(() => 'old'))
  })

  it('keeps its slot, which operators see, and gives it back when it is called off', MINUTE, async () => {
    const old = await hire('old', { seatVersion: '1' })
    const first = await startOld()
    await until(first, ({ type }) => type === 'run-paused')
    await old.kill()
    await hire('young')
    const next = await client.start('seat', undefined, { runId: 'seat-2' })
    await first.signal('stand', 'risen')
    await expect.poll(() => client.waitingForWorker(), SOON).toHaveLength(1)

    const wait = await client.waitingFor('seat-2')
    expect(wait).toMatchObject({ held: 1, ahead: 0 })
    expect((await client.getRun(wait?.limiter ?? ''))?.limiter?.held).toEqual(['seat-1'])
    expect(await first.summary()).toMatchObject({ version: '1', pendingWorker: {} })

    expect(await first.cancel('its version is gone')).toBe(true)
    await next.signal('stand', 'seated')
    expect(await next.result()).toBe('seated by 2')
    expect(await first.status()).toBe('cancelled')
  })
})

describe('a schedule', () => {
  const points: readonly Point[] = [
    { method: 'create', when: 'before', with: 'rests@trigger' },
    { method: 'create', when: 'after', with: 'rests@trigger' },
    { method: 'commit', when: 'after', with: 'rests@trigger' },
  ]

  it.each(points)('is kept by another one when its keeper dies $when $method of $with', MINUTE, async (diesAt) => {
    const schedules = new Schedules({ store, queue })
    await schedules.create({ id: 'rests', flow: flows.rest, input: 1, cron: '0 0 1 1 *', overlap: 'allow' })
    const keeper = await hire('first', { diesAt })
    const runId = await schedules.trigger('rests')
    expect(await keeper.end).toBe('SIGKILL')

    await hire('second')
    const again = await schedules.trigger('rests')

    await expect.poll(() => idsOf('rest'), SOON).toEqual([runId, again].sort())
    expect(await client.get(runId).result()).toBe('rested')
    expect(await client.get(again).result()).toBe('rested')
    expect(await schedules.get('rests')).toMatchObject({ triggeredCount: 2, startedCount: 0 })
  })
})

describe('a run that is redriven', () => {
  async function failed(): Promise<RunHandle> {
    const worker = await hire('first')
    const handle = await client.start(flows.fragile, undefined, { runId: 'fragile' })
    expect(await handle.outcome()).toMatchObject({ status: 'failed' })
    await worker.kill()
    return handle
  }

  const redriver = async (diesAt?: Point) => {
    const operator = new Process('redriver.ts', { directory, runId: 'fragile', diesAt })
    expect(await operator.line()).toBe('ready')
    return operator
  }

  it('by two processes at once is one run', MINUTE, async () => {
    const handle = await failed()
    const operators = await Promise.all([redriver(), redriver(), redriver()])

    for (const operator of operators) operator.say('now')

    const told = await Promise.all(operators.map((operator) => operator.line()))
    expect(new Set(told)).toEqual(new Set(['fragile:redrive']))
    await hire('second')
    expect(await client.get('fragile:redrive').result()).toBe('mended')
    expect(await idsOf('fragile')).toEqual(['fragile', 'fragile:redrive'])
    expect(await handle.status()).toBe('failed')
    expect(witnessedIn(directory).filter((line) => line.startsWith('second'))).toHaveLength(1)
  })

  it.each(['before', 'after'] as const)('is one run though who asks first dies %s it is made', MINUTE, async (when) => {
    await failed()
    const dying = await redriver({ method: 'create', when, with: 'fragile:redrive' })
    dying.say('now')
    expect(await dying.end).toBe('SIGKILL')
    await hire('second')

    expect((await client.redrive('fragile')).runId).toBe('fragile:redrive')

    expect(await client.get('fragile:redrive').result()).toBe('mended')
    expect(await idsOf('fragile')).toEqual(['fragile', 'fragile:redrive'])
  })
})

describe('a run that is paused while its node runs, and whose worker dies', () => {
  async function heldDead(): Promise<RunHandle> {
    const worker = await hire('first')
    const handle = await client.start(flows.busy, undefined, { runId: 'busy' })
    await until(handle, ({ type }) => type === 'node-claimed')
    expect(await handle.pause({ reason: 'to look', by: 'ada' })).toBe(true)
    await worker.kill()
    await hire('second')
    // Longer than its lease and some sweeps.
    await until(await nap(3 * TIMES.leaseMs), isCompleted)
    const events = await journalOf(handle)
    expect(events.filter(({ type }) => type === 'node-claimed')).toHaveLength(1)
    expect(await handle.status()).toBe('paused')
    return handle
  }

  it('is taken over once it is let go, and not before', MINUTE, async () => {
    const handle = await heldDead()
    writeFileSync(join(directory, DONE), '')

    expect(await handle.unpause({ by: 'ada' })).toBe(true)

    expect(await handle.result()).toBe('by second')
    const types = (await journalOf(handle)).map(({ type }) => type)
    expect(types.filter((type) => /^(node|run-pause)/.test(type))).toEqual([
      'node-claimed',
      'run-pause-ordered',
      'run-pause-lifted',
      'node-lost',
      'node-claimed',
      'node-succeeded',
    ])
  })

  it('ends when it is called off', MINUTE, async () => {
    const handle = await heldDead()

    expect(await handle.cancel('enough')).toBe(true)

    expect(await handle.outcome()).toMatchObject({ status: 'cancelled' })
  })
})

const isCompleted = ({ type }: RunEvent) => type === 'run-completed'
let naps = 0

/** Time, by a run that sleeps through it: it goes by for the workers as well. */
function nap(ms: number): Promise<RunHandle> {
  return client.start(flows.rest, ms, { runId: `nap-${++naps}` })
}
