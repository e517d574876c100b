/**
 * The simulated world: one timeline, one store, one queue, and the actors on them. A step is one thing that happens, with
 * all that follows from it before anybody waits again; after each step the referee looks at what has changed.
 */
import { InMemoryCoordinationStore, InMemoryRunStore } from '@baton/core'
import { RunMachine } from '@baton/core/adapter'
import { Dice, hash } from '../../dice.ts'
import type { Faults } from '../faults/faults.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { Actor } from './actor.ts'
import type { Onlooker } from './onlooker.ts'
import { SimQueue } from './queue.ts'
import { RecordingStore, type StoreCall } from './recording-store.ts'
import { type Happening, type Pick, Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

/** Some Monday morning. */
const FIRST_MS = Date.UTC(2026, 0, 5, 9)

export interface WorldOptions {
  /** The first instant. Default: some Monday morning. */
  readonly startMs?: number
  readonly seed: number
  readonly leaseMs: number
  readonly sweepMs: number
  readonly visibilityMs: number
  readonly faults: Faults
  readonly referee: Onlooker
  readonly mutant?: Mutant | undefined
  readonly keepsTrace?: boolean
  /** Where to note all that the store was asked to change. */
  readonly calls?: StoreCall[] | undefined
  /** How much news a limiter takes before it goes on in a new run. Default: as everywhere. */
  readonly limiterNews?: number
  /** Who goes next. Default: by the seed. */
  readonly pick?: Pick
}

interface NewHappening {
  readonly delayMs: number
  readonly actor: Actor | undefined
  readonly what: string
  readonly detail: (() => string) | undefined
  readonly run: () => void
  readonly caller?: Actor
}

export class World {
  readonly seed: number
  readonly leaseMs: number
  readonly sweepMs: number
  readonly faults: Faults
  readonly referee: Onlooker
  readonly mutant: Mutant | undefined
  readonly store: InMemoryRunStore
  readonly queue: SimQueue
  readonly coordinationStore: InMemoryCoordinationStore
  readonly trace: Trace
  readonly actors: Actor[] = []
  /** Whose code is running. */
  current: Actor | undefined
  steps = 0
  readonly #timeline: Timeline
  /** How far the store's clock is from the time of the world. */
  storeSkewMs = 0
  #storeMs = 0
  readonly #pick: Pick

  constructor(options: WorldOptions) {
    const { seed, faults, referee, mutant, startMs = FIRST_MS, limiterNews } = options
    this.#timeline = new Timeline(startMs)
    this.seed = seed
    this.leaseMs = options.leaseMs
    this.sweepMs = options.sweepMs
    this.faults = faults
    this.referee = referee
    this.mutant = mutant
    this.trace = new Trace(options.keepsTrace === true)
    const order = new Dice(hash(`${seed} order`))
    this.#pick = options.pick ?? ((ready) => order.below(ready.length))
    const clock = { now: () => this.nowMs + this.storeSkewMs, after: () => () => {} }
    const storeOptions: ConstructorParameters<typeof InMemoryRunStore>[0] = {
      clock,
      redispatchMs: 2 * this.sweepMs,
      redispatchMaxMs: 8 * this.sweepMs,
      newMachine: (run, atMs, machineOptions) => {
        const { runId } = run
        const onEvent: typeof machineOptions.onEvent = (event) => {
          machineOptions.onEvent?.(event)
          referee.saw(runId, event)
        }
        const machine = RunMachine.create(run, atMs, {
          ...machineOptions,
          onEvent,
          ...(limiterNews === undefined ? {} : { limiterNews }),
        })
        mutant?.machine?.(machine)
        referee.watches(runId, machine)
        return machine
      },
    }
    const { calls } = options
    this.store =
      calls === undefined
        ? new InMemoryRunStore(storeOptions)
        : new RecordingStore({ ...storeOptions, calls, nowMs: () => this.storeNowMs })
    this.queue = new SimQueue(this, options.visibilityMs)
    this.coordinationStore = new InMemoryCoordinationStore({ clock })
  }

  get nowMs(): number {
    return this.#timeline.nowMs
  }

  /** When the next thing may happen; undefined when nothing ever will. */
  get nextAtMs(): number | undefined {
    return this.#timeline.nextAtMs
  }

  /** The store's time: it never goes back, whatever its clock does. */
  get storeNowMs(): number {
    this.#storeMs = Math.max(this.#storeMs, this.nowMs + this.storeSkewMs)
    return this.#storeMs
  }

  add({ delayMs, actor, what, detail, run, caller }: NewHappening): Happening {
    const happening = { atMs: this.nowMs + delayMs, actor, what, detail, run, isCancelled: false, caller }
    this.#timeline.add(happening)
    return happening
  }

  /** Something that was kept back. */
  addAgain(happening: Happening): void {
    this.#timeline.add(happening)
  }

  /** Lets one thing happen. @returns false when nothing can happen any more */
  async step(): Promise<boolean> {
    const happening = this.#timeline.next(this.#pick)
    if (happening === undefined) return false
    const { actor } = happening
    if (actor?.isGone === true || actor?.holds(happening) === true) return true
    this.steps += 1
    this.trace.note(this.nowMs, happening)
    await this.lets(actor, happening.run)
    this.referee.looks()
    return true
  }

  /** Runs code of an actor until all of it waits. */
  async lets(actor: Actor | undefined, code: () => void): Promise<void> {
    this.current = actor
    code()
    // What no actor's code runs by is over at once; all others end up waiting for a timer or a port of this world.
    if (actor !== undefined) await turn()
    this.current = undefined
  }
}

/**
 * Until everybody waits for a timer or a port: all of them are this world's. An engine that waited for anything else, such
 * as a digest that a thread works out, would make a seed's way depend on the machine.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => void soon(resolve))
}

/** Taken before a test runner puts a fake timer in its place. */
const { setImmediate: soon } = globalThis
