/**
 * Runs under a limit, and couriers that do everything wrong that couriers can: they die, and are asked again; they bring
 * something twice, out of order, or so late that its run has ended; they sit on an old message. Whatever they do, no more
 * runs than allowed are under way, and in the end each has had its turn.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunMachine } from '../machine/run-machine.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { BatonError } from '../model/errors.ts'
import { foldJournal } from '../model/fold.ts'
import type { Gate } from '../model/gate.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { isPlainObject } from '../model/json.ts'
import type { RunMessage } from '../model/message.ts'
import { isTerminal, type NewRun } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { silentLogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { Courier } from './courier.ts'

const WRITES = ['create', 'notify', 'delivered', 'redispatch', 'due']

class World {
  nowMs = 0
  readonly store: IRunStore
  #seed: number
  readonly #isSmall: boolean
  /** Messages that somebody has in hand and has not brought. */
  readonly #late: { readonly from: RunId; readonly message: RunMessage }[] = []
  readonly gates: readonly Gate[]
  readonly runs: RunId[] = []
  isCalm = false

  constructor(gates: readonly Gate[], seed: number) {
    this.gates = gates
    this.#seed = seed
    this.#isSmall = seed % 2 === 0
    this.store = new InMemoryRunStore({
      clock: { now: () => this.nowMs, after: () => () => {} },
      redispatchMs: 50,
      redispatchMaxMs: 200,
      newMachine: (run, atMs, options) => RunMachine.create(run, atMs, { ...options, limiterNews: 6 }),
    })
  }

  #roll(sides: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#seed / 2 ** 32) * sides)
  }

  chance(one: number): boolean {
    return !this.isCalm && this.#roll(one) === 0
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#roll(items.length)]
  }

  /** A courier whose store fails it now and then, before or after it has done what it was asked. */
  get courier(): Courier {
    const store = new Proxy(this.store, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        if (!WRITES.includes(String(name))) return method.bind(target)
        return async (...args: unknown[]) => {
          if (this.chance(9)) throw new BatonError('STORE_UNAVAILABLE')
          if (name === 'create' && (await this.#isTooLarge(args[0] as NewRun))) {
            return { status: 'too-large', limitBytes: 100 }
          }
          const answer = await method.apply(target, args)
          if (this.chance(9)) throw new BatonError('STORE_UNAVAILABLE')
          return answer
        }
      },
    })
    const clock = { now: () => this.nowMs, after: () => () => {} }
    return new Courier({ store, queue: undefined, clock, logger: silentLogger })
  }

  /** Half of the stores take no limiter for which more than one waits. */
  async #isTooLarge({ runId, input }: NewRun): Promise<boolean> {
    const { waiting = [] } = (isPlainObject(input) ? input : {}) as { waiting?: readonly unknown[] }
    return this.#isSmall && waiting.length > 1 && (await this.store.summary(runId)) === undefined
  }

  async start(priority: number): Promise<void> {
    const runId = parseRunId(`run-${this.runs.length}`)
    this.runs.push(runId)
    await this.store.create({ runId, kind: 'workflow', flowId: 'flow', starts: ['a'], gates: this.gates, priority })
  }

  async sweep(): Promise<void> {
    for (const item of await this.store.due({ limit: 100, unsentOnly: true })) {
      if (item.type === 'slots') await this.courier.review(item.runId)
      if (item.type !== 'message') continue
      if (this.chance(4)) this.#late.push({ from: item.runId, message: item.message })
      else {
        await this.store.redispatch([item])
        await this.courier.deliverFound([item])
      }
    }
  }

  /** Somebody wakes up with a message in hand, and brings it now. */
  async bringLate(): Promise<void> {
    const late = this.pick(this.#late)
    if (late === undefined) return
    await this.courier.deliver(late.from, [late.message])
    if (this.chance(2)) this.#late.splice(this.#late.indexOf(late), 1)
  }

  async underWay(): Promise<RunId[]> {
    const begun: RunId[] = []
    for (const runId of this.runs) {
      const run = await this.store.summary(runId)
      if (run !== undefined && !isTerminal(run.status) && run.pendingSlot === undefined) begun.push(runId)
    }
    return begun
  }

  /** Nothing is left to say, and nobody is left to say it. */
  async isQuiet(): Promise<boolean> {
    for (const runId of this.runs) if (!isTerminal((await this.store.summary(runId))?.status ?? 'failed')) return false
    this.nowMs += 1_000
    return (await this.store.due({ limit: 1 })).length === 0
  }

  async end(runId: RunId | undefined): Promise<void> {
    if (runId === undefined) return
    const claimed = await this.store.claim({ runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 1e9 })
    if (claimed.status !== 'claimed') return
    const outcome = { type: 'succeeded', arrivals: [] } as const
    const { fence } = claimed.claim
    await this.store.commit({ runId, instanceId: 'a', commitId: 'c', fence, outcome })
  }

  cancel(runId: RunId | undefined) {
    return runId === undefined ? undefined : this.store.notify({ type: 'cancel', runId, reason: 'no more' })
  }

  async limiters() {
    const { runs } = await this.store.list({ flowId: 'baton:limiter', limit: 1_000 })
    return Promise.all(runs.map(async ({ runId }) => this.store.load(runId)))
  }
}

const flowGate = (most: number): Gate => ({ limiter: parseRunId('baton:limit:flow:runs'), flowId: 'flow', most })
const rateGate = (most: number): Gate => ({
  limiter: parseRunId('baton:limit:flow:rate'),
  flowId: 'flow',
  most,
  perMs: 100,
})

async function play(gates: readonly Gate[], steps: readonly number[], seed: number): Promise<World> {
  const world = new World(gates, seed)
  const limit = gates.find(({ perMs }) => perMs === undefined)?.most ?? Number.POSITIVE_INFINITY
  for (const step of steps) {
    if (step < 3) await world.start(step)
    else if (step < 6) await world.sweep()
    else if (step === 6) await world.bringLate()
    else if (step === 7) await world.end(world.pick(await world.underWay()))
    else if (step === 8) await world.cancel(world.pick(world.runs))
    else world.nowMs += 40
    expect((await world.underWay()).length).toBeLessThanOrEqual(limit)
  }
  world.isCalm = true
  for (let round = 0; !(await world.isQuiet()); round++) {
    if (round > 200) throw new Error('it never comes to rest')
    await world.sweep()
    for (const runId of await world.underWay()) await world.end(runId)
    world.nowMs += 60
  }
  return world
}

const steps = fc.array(fc.nat(9), { minLength: 40, maxLength: 120 })

describe('runs under a limit, and couriers that do everything wrong', () => {
  it.each([
    ['one at a time', [flowGate(1)]],
    ['three at a time', [flowGate(3)]],
    ['two at a time, and three in a while', [flowGate(2), rateGate(3)]],
  ])(
    'never too many, none forgotten, and nothing is held in the end: %s',
    { timeout: 60_000 },
    async (_name, gates) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(), async (plan, seed) => {
          const world = await play(gates, plan, seed)

          for (const runId of world.runs)
            expect((await world.store.summary(runId))?.status).toMatch(/completed|cancelled/)
          for (const run of await world.limiters()) {
            if (run === undefined) continue
            expect(run.limiter).toMatchObject({ held: [], waiting: [] })
            const events = []
            for await (const event of world.store.journal(run.runId)) events.push(event)
            const folded = foldJournal(events)
            expect(folded && recordOf(folded)).toEqual(run)
            expect(await world.store.due({ limit: 10, runId: run.runId })).toEqual([])
          }
        }),
        { numRuns: 60, endOnFailure: true },
      )
    },
  )
})
