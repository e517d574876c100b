/**
 * The world of a test: the engine's own workers and client, on the simulator's timeline, store and queue. Nothing goes
 * wrong in it but what its mishaps plan, and time moves only when nothing else can happen.
 */
import { BatonClient, JsonSerializer, type RunnableFlow } from '@baton/core'
import { Worker } from '@baton/core/adapter'
import { Dice, hash } from '../../dice.ts'
import { Actor } from '../../simulator/world/actor.ts'
import { storeOf } from '../../simulator/world/ports.ts'
import { World } from '../../simulator/world/world.ts'
import type { StubBook } from '../stubs.ts'
import { CodeAtWork } from './code-at-work.ts'
import type { Mishaps } from './mishaps.ts'
import { RareSweeps, WHEN_DUE_MS } from './rare-sweeps.ts'
import { RunsSeen } from './runs-seen.ts'
import { TestRegistry } from './test-registry.ts'

export interface FlowWorldOptions {
  readonly flows: readonly RunnableFlow[]
  readonly stubs: StubBook
  /** 0: what can happen at the same instant happens in the order in which it came up. */
  readonly seed: number
  readonly startMs: number | undefined
  readonly workers: number
  readonly leaseMs: number
  readonly mishaps: Mishaps
}

/** As long as nothing says otherwise: what a job that nobody answered takes to come again. */
const VISIBILITY_MS = 30_000
const SWEEP_MS = 5_000

export class FlowWorld {
  readonly seen = new RunsSeen()
  readonly code = new CodeAtWork(this.seen)
  readonly serializer = new JsonSerializer()
  readonly client: BatonClient
  readonly registry: TestRegistry
  readonly #options: FlowWorldOptions
  readonly #world: World
  readonly #sweeps = new RareSweeps()
  readonly #workers = new Map<string, Actor>()
  #runs = 0

  constructor(options: FlowWorldOptions) {
    const { seed, startMs, stubs, flows, mishaps, leaseMs, workers } = options
    this.#options = options
    const order = seed === 0 ? undefined : new Dice(hash(`${seed} order`))
    this.#world = new World({
      ...{ seed, leaseMs, sweepMs: SWEEP_MS, visibilityMs: VISIBILITY_MS },
      ...(startMs === undefined ? {} : { startMs }),
      faults: mishaps,
      referee: this.seen,
      pick: (ready) => {
        const index = order?.below(ready.length) ?? 0
        const victim = ready[index] === undefined ? undefined : mishaps.strikes(ready[index])
        if (victim !== undefined) this.kill(victim)
        return index
      },
    })
    this.registry = new TestRegistry((flowId, args, original) =>
      this.code.enter({
        ...{ flowId, args },
        nowMs: this.nowMs,
        workerOf: (workerId) => (workerId === undefined ? undefined : this.#workers.get(workerId)),
        run: () => stubs.call(flowId, args, original, () => this.code.hangs()),
      }),
    )
    for (const flow of flows) this.registry.know(flow)
    this.client = this.#makeClient()
    for (let count = 0; count < workers; count++) this.#workerComes()
  }

  get nowMs(): number {
    return this.#world.nowMs
  }

  get steps(): number {
    return this.#world.steps
  }

  /** Nothing can happen before time moves on. */
  get isQuiet(): boolean {
    return this.#isStill && this.#nextSweepAtMs > this.nowMs
  }

  /** Lets one thing happen; time moves on to it. @returns false when nothing ever will */
  async step(): Promise<boolean> {
    if (this.#isStill) this.#letSweepsCome()
    return this.#world.step()
  }

  /** Calls back when so much time has passed. */
  after(delayMs: number, callback: () => void): void {
    this.#world.add({ delayMs, actor: undefined, what: 'a moment', detail: undefined, run: callback })
  }

  /** A worker's memory is gone, and another one goes on. */
  kill(worker: Actor): void {
    worker.kill()
    this.#workerComes()
  }

  /** Whether all that is under way waits for a later instant. */
  get #isStill(): boolean {
    const { nextAtMs } = this.#world
    return nextAtMs === undefined || nextAtMs > this.nowMs
  }

  get #nextSweepAtMs(): number {
    return this.#sweeps.nextAtMs(this.seen.nextDueAtMs())
  }

  #letSweepsCome(): void {
    const atMs = this.#nextSweepAtMs
    const { nextAtMs = Number.POSITIVE_INFINITY } = this.#world
    if (atMs < nextAtMs) this.#sweeps.comeAt(Math.max(atMs, this.nowMs))
  }

  #makeClient(): BatonClient {
    const actor = new Actor(this.#world, 'client', 'test')
    return new BatonClient({
      store: storeOf(actor),
      queue: this.#world.queue.portOf(actor),
      registered: this.registry,
      serializer: this.serializer,
      clock: actor.clock,
      newId: () => `run-${++this.#runs}`,
    })
  }

  #workerComes(): void {
    const world = this.#world
    const { registry, serializer } = this
    const actor = new Actor(world, 'worker', `worker-${this.#workers.size + 1}`)
    this.#workers.set(actor.name, actor)
    const worker = new Worker({
      ...{ registry, serializer },
      store: storeOf(actor),
      queue: world.queue.portOf(actor),
      workerId: actor.name,
      clock: this.#sweeps.clockOf(actor),
      random: actor.random,
      newId: actor.newId,
      leaseMs: this.#options.leaseMs,
      sweepMs: WHEN_DUE_MS,
      // So that the seed says which of two branches is first.
      fanOut: 'queue',
      retentionMs: Number.POSITIVE_INFINITY,
    })
    world.add({ delayMs: 0, actor, what: 'start', detail: undefined, run: () => worker.start() })
  }
}
