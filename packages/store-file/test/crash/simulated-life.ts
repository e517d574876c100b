/**
 * The life of a store as a simulation has lived it: everything that real workers, clients and operators asked of it under all
 * those faults, asked once more of files on a disk that loses what was not synced. The power fails at calls to the file
 * system. What was under way is asked again, as by an engine that never heard an answer; and so is what need not be on the
 * disk before something else of its run is: claims, renewals, notes of what was delivered.
 *
 * A store in memory that is asked the same says what is right: each answer, and in the end each journal.
 */

import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { InMemoryRunStore, type IRunStore, type RunEvent, type RunId } from '@baton/core'
import { type Dice, type StoreCall, simulate } from '@baton/testing/simulator'
import { FileRunStore } from '../../src/run-store.ts'
import { startAgain } from './after-crash.ts'
import { CrashingDisk, type Leak } from './crashing-disk.ts'

export interface LifeOptions {
  readonly folder: string
  readonly seed: number
  readonly dice: Dice
  /** How often the power fails, at most. */
  readonly crashes: number
  /** What the disk does not do though it is asked to: a sync that somebody has left out. */
  readonly leak?: Leak | undefined
}

export interface Life {
  readonly calls: number
  readonly crashes: number
  /** What need not be on the disk was lost in another order than it came: from there on it is another life. */
  readonly isAnother: boolean
  /** The first thing that was not as it should. */
  readonly mistake: string | undefined
}

export async function liveOnFiles(options: LifeOptions): Promise<Life> {
  const calls: StoreCall[] = []
  await simulate({ seed: options.seed, limits: { maxNodes: 8, chaosMs: 2_000 }, calls })
  return new FileLife(
    calls.map((call) => (options.dice.happens(0.3) ? withLongOutput(call) : call)),
    options,
  ).live()
}

class FileLife {
  readonly #calls: readonly StoreCall[]
  readonly #options: LifeOptions
  readonly #clock = { now: () => this.#nowMs, after: () => () => {} }
  readonly #right: InMemoryRunStore
  /** How many events of each run are on the disk, whatever happens. */
  readonly #sure = new Map<RunId, number>()
  /** By run: what was answered, and may still be lost. */
  readonly #unsure = new Map<RunId, StoreCall[]>()
  #nowMs: number
  #directory: string
  #place = 0
  #crashes = 0
  #mistake: string | undefined
  #isAnother = false

  constructor(calls: readonly StoreCall[], options: LifeOptions) {
    this.#calls = calls
    this.#options = options
    this.#nowMs = calls[0]?.atMs ?? 0
    this.#right = new InMemoryRunStore({ clock: this.#clock })
    this.#directory = join(options.folder, '0')
  }

  async live(): Promise<Life> {
    await new FileRunStore({ directory: this.#directory, durability: 'power', clock: this.#clock }).close()
    while (this.#place < this.#calls.length && this.#mistake === undefined && !this.#isAnother)
      await this.#untilPowerFails()
    try {
      const isOver = this.#mistake !== undefined || this.#isAnother
      if (!isOver) await this.#with(this.#directory, (store) => this.#compareAll(store))
    } catch (error) {
      this.#mistake = String(error)
    }
    return { calls: this.#place, crashes: this.#crashes, isAnother: this.#isAnother, mistake: this.#mistake }
  }

  async #untilPowerFails(): Promise<void> {
    const { folder, dice, crashes, leak } = this.#options
    const image = join(folder, `${this.#crashes + 1}`)
    const crashAt = this.#crashes < crashes ? dice.between(1, 300) : Number.POSITIVE_INFINITY
    let count = 0
    const disk = new CrashingDisk(
      this.#directory,
      () => {
        if (++count === crashAt) disk.image(image, dice)
      },
      leak,
    )
    disk.install()
    try {
      await this.#with(this.#directory, (store) => this.#goOn(store, () => count >= crashAt))
    } catch (error) {
      // What goes wrong on the dead disk has no meaning any more.
      if (count < crashAt) this.#mistake = `call ${this.#place}: ${String(error)}`
    } finally {
      disk.uninstall()
    }
    if (count < crashAt) return
    this.#crashes += 1
    this.#directory = image
    startAgain(image)
  }

  async #goOn(store: FileRunStore, hasFailed: () => boolean): Promise<void> {
    await this.#compareAll(store)
    if (this.#isAnother) return
    for (const call of [...this.#unsure.values()].flat()) {
      this.#nowMs = call.atMs
      await ask(store, call)
      if (hasFailed()) return
    }
    for (let isAgain = this.#crashes > 0; this.#place < this.#calls.length; isAgain = false) {
      const call = this.#calls[this.#place] as StoreCall
      this.#nowMs = call.atMs
      const answer = await ask(store, call)
      if (hasFailed()) return
      const right = await ask(this.#right, call)
      this.#note(call)
      // What is asked again may have taken effect before the power failed.
      if (!isAgain && ANSWERS.has(call.method) && !isDeepStrictEqual(answer, right)) {
        this.#mistake = `${call.method} ${this.#place}: ${JSON.stringify(answer)} instead of ${JSON.stringify(right)}`
        return
      }
      this.#place += 1
      if (isAgain && !(await this.#isSame(store))) {
        this.#isAnother = true
        return
      }
    }
  }

  /** Whether nothing was lost, once all was asked again. */
  async #isSame(store: FileRunStore): Promise<boolean> {
    for (const runId of this.#sure.keys()) {
      const right = this.#right.load(runId)
      if (right === undefined) continue
      if (!isDeepStrictEqual(await store.load(runId), right)) return false
      // The same claim at another time: it was lost, and the line behind it was not.
      if (!(await areSame(this.#right, store, runId))) return false
    }
    return true
  }

  #note(call: StoreCall): void {
    if (call.method === 'redispatch' || call.method === 'purge') return
    const [first] = call.args
    const runId = typeof first === 'string' ? first : first.runId
    const seq = this.#right.summary(runId)?.seq
    if (seq === undefined) return
    if (!ON_DISK.has(call.method)) {
      this.#unsure.set(runId, [...(this.#unsure.get(runId) ?? []), call])
      return
    }
    this.#unsure.delete(runId)
    this.#sure.set(runId, seq)
  }

  /** Everything that anybody was told is there: the journals, the states, and what is still to be delivered. */
  async #compareAll(store: FileRunStore): Promise<void> {
    for (const [runId, sure] of this.#sure) {
      const run = this.#right.summary(runId)
      // A purge that was under way may have come so far.
      const mayBeGone = this.#calls[this.#place]?.method === 'purge' && run?.endedAtMs !== undefined
      if (run === undefined) continue
      const found = await store.load(runId)
      if (found === undefined && mayBeGone) continue
      if (found === undefined) this.#mistake = `${runId} is lost`
      else if (found.seq < sure) this.#mistake = `${runId} has ${found.seq} events of ${sure}`
      else if (!(await areSame(this.#right, store, runId, sure))) this.#mistake = `${runId} has another journal`
      // Behind what anybody was told is on disk, a claim may be lost and the next one not.
      else if (!(await areSame(this.#right, store, runId))) this.#isAnother = true
      if (this.#mistake !== undefined) return
    }
  }

  async #with(directory: string, use: (store: FileRunStore) => Promise<void>): Promise<void> {
    const redoMaxBytes = this.#options.dice.pick([4_000, 1_000_000])
    const store = new FileRunStore({ directory, clock: this.#clock, inlineMaxBytes: 256, redoMaxBytes })
    try {
      await use(store)
    } finally {
      await store.close()
    }
  }
}

/** No store looks at an output: where it is long, files keep it apart. */
function withLongOutput(call: StoreCall): StoreCall {
  if (call.method !== 'commit') return call
  const [transition] = call.args
  const { outcome } = transition
  if (outcome.type !== 'succeeded' || outcome.output === undefined) return call
  const output = [outcome.output, `${transition.commitId} `.repeat(60)]
  return { ...call, args: [{ ...transition, outcome: { ...outcome, output } }] }
}

/** What is on the disk when it is answered. */
const ON_DISK: ReadonlySet<StoreCall['method']> = new Set(['create', 'commit', 'notify'])

/** Whose answers are the same in every store. */
const ANSWERS: ReadonlySet<StoreCall['method']> = new Set(['create', 'claim', 'commit', 'notify', 'renew'])

async function ask(store: IRunStore, { method, args }: StoreCall): Promise<unknown> {
  const call = store[method] as (...given: unknown[]) => unknown
  return call.apply(store, [...args])
}

/** As far as both go: one may be ahead by what is under way, the other by what was lost and need not be there. */
/** @param upTo events behind this one are not looked at */
async function areSame(
  right: IRunStore,
  store: IRunStore,
  runId: RunId,
  upTo = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const found: RunEvent[] = []
  for await (const event of store.journal(runId)) found.push(event)
  let place = 0
  for await (const event of right.journal(runId)) {
    if (place >= Math.min(found.length, upTo)) return true
    if (!isDeepStrictEqual(event, found[place++])) return false
  }
  return true
}
