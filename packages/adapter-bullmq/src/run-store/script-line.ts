/**
 * Carries steps of the script to Redis, those of one shard in one line: what comes together, or while calls are under
 * way, goes with the next one. So a store that is idle sends a step at once, and one that is busy sends many in a
 * call, with nobody waiting for a timer.
 */
import { type LogAnswer, within } from '@baton/core/adapter'
import type { Cluster, Redis } from 'ioredis'
import { storeFailure, wrongType } from '../errors.ts'
import type { ShardKeys } from '../keys.ts'
import { Script } from '../scripts/script.ts'
import { transact } from '../scripts/transact.ts'
import type { StoreClock } from './store-clock.ts'

/** One step of `scripts/transact.ts`. */
export interface Step {
  readonly name: 'create' | 'append' | 'read' | 'index' | 'enlist' | 'delist' | 'purge'
  /** '' for one that is not needed. */
  readonly keys: readonly string[]
  /** With a blank between two of them. */
  readonly words: string
  readonly texts: readonly string[]
}

export interface ScriptLineOptions {
  readonly redis: Redis | Cluster
  readonly keys: ShardKeys
  readonly lookMs: number
  readonly publish: 'PUBLISH' | 'SPUBLISH'
  readonly clock: StoreClock
  /** How long an answer may take. */
  readonly timeoutMs: number
}

/** A class and no literal, as what leads to a run is to be: core's `logged-run.ts` says what V8 would make of it. */
class Waiting {
  readonly step: Step
  readonly resolve: (answer: LogAnswer) => void
  readonly reject: (error: unknown) => void

  constructor(step: Step, resolve: (answer: LogAnswer) => void, reject: (error: unknown) => void) {
    this.step = step
    this.resolve = resolve
    this.reject = reject
  }
}

const script = new Script(transact)
const NO_LINES: readonly string[] = []
/** An answer of the script beside those of `LogBackend`: a key is of another type than the store's. */
const WRONG_TYPE = -3
/** How long what nobody waits for waits for company. */
const ALONG_MS = 2
/**
 * Calls under way at a time: while Redis works on one, the answers to another are worked on here. With one, or one that carries
 * everything, either of the two would always wait for the other.
 */
const MOST_CALLS = 4
/** What one call carries at most: a script stops the whole server while it runs. */
const MOST_STEPS = 500
const FEW_STEPS = 25
const MOST_CHARS = 1024 * 1024
/** Of a log, in one answer. */
export const MOST_LINES = 1_000

export class ScriptLine {
  readonly #options: ScriptLineOptions
  #waiting: Waiting[] = []
  #later: Waiting[] = []
  #underWay = 0
  #isGathering = false
  #timer: NodeJS.Timeout | undefined
  readonly #calls = new Set<Promise<void>>()

  constructor(options: ScriptLineOptions) {
    this.#options = options
  }

  send(step: Step): Promise<LogAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(new Waiting(step, resolve, reject))
      if (this.#underWay >= MOST_CALLS || this.#isGathering) return
      this.#isGathering = true
      // What the same turn of the loop still brings goes along.
      // Not by `queueMicrotask`, for which Node makes a resource that can be traced.
      void Promise.resolve().then(() => this.#run())
    })
  }

  /** The same for what nobody waits for: it goes with the next call, or alone if none comes soon, and holds nobody up. */
  sendAlong(step: Step): Promise<LogAnswer> {
    return new Promise((resolve, reject) => {
      this.#later.push(new Waiting(step, resolve, reject))
      this.#timer ??= setTimeout(() => this.#flush(), ALONG_MS)
    })
  }

  /** Resolves when what was sent before is answered. */
  async settled(): Promise<void> {
    this.#flush()
    const last = this.#waiting.at(-1)
    while (last !== undefined && this.#waiting.includes(last)) {
      await (this.#calls.size === 0 ? Promise.resolve() : Promise.race(this.#calls))
    }
    await Promise.all(this.#calls)
  }

  async #run(): Promise<void> {
    this.#isGathering = false
    this.#underWay += 1
    while (this.#waiting.length > 0) {
      const call = this.#carry([...this.#later.splice(0), ...this.#take()])
      if (this.#waiting.length > 0 && this.#underWay < MOST_CALLS) void this.#run()
      await call
    }
    this.#underWay -= 1
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#later.length > 0) void this.#carry(this.#later.splice(0))
  }

  #carry(batch: readonly Waiting[]): Promise<void> {
    const call = this.#answer(batch).finally(() => this.#calls.delete(call))
    this.#calls.add(call)
    return call
  }

  async #answer(batch: readonly Waiting[]): Promise<void> {
    const { clock } = this.#options
    try {
      const answers = await this.#call(batch)
      const nowMs = Number(answers[0])
      clock.note(nowMs)
      for (let index = 0; index < batch.length; index++) {
        const answer = answers[index + 1] as number | readonly [number, ...string[]]
        const waiting = batch[index] as Waiting
        if (typeof answer === 'number') {
          waiting.resolve({ nowMs, count: answer, lines: NO_LINES })
          continue
        }
        const [count, ...lines] = answer
        if (count === WRONG_TYPE) waiting.reject(wrongType(this.#keysOf(waiting.step), String(lines[0])))
        else waiting.resolve({ nowMs, count, lines })
      }
    } catch (error) {
      const failure = storeFailure(error)
      for (const { reject } of batch) reject(failure)
    }
  }

  /** All that a step may have touched. */
  #keysOf({ name, keys }: Step): readonly string[] {
    const { remind, created, ended, notes, flows, letters, gone } = this.#options.keys
    const others =
      name === 'read' ? [] : name === 'append' ? [remind] : [remind, created, ended, notes, flows, letters, gone]
    return [...keys.filter((key) => key !== ''), ...others]
  }

  /** Its share of what waits: small, so that Redis has done it soon, unless there is much. */
  #take(): readonly Waiting[] {
    const share = Math.ceil(this.#waiting.length / (MOST_CALLS - this.#underWay + 1))
    const most = Math.min(MOST_STEPS, Math.max(FEW_STEPS, share))
    let chars = 0
    let count = 0
    for (const { step } of this.#waiting) {
      for (const text of step.texts) chars += text.length
      if (count > 0 && (count >= most || chars > MOST_CHARS)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  #call(batch: readonly Waiting[]): Promise<readonly [string, ...unknown[]]> {
    const { redis, keys, lookMs, publish, timeoutMs } = this.#options
    const allKeys = [keys.remind]
    if (!batch.every(({ step: { name } }) => name === 'append' || name === 'read')) {
      allKeys.push(keys.created, keys.ended, keys.notes, keys.flows, keys.letters, keys.gone)
    }
    const places = new Map([['', 0]])
    const parts: string[] = []
    for (const { step } of batch) {
      const { name, keys: ofStep, words, texts } = step
      let ofKeys = ''
      for (const key of ofStep) {
        let place = places.get(key)
        if (place === undefined) {
          place = allKeys.push(key)
          places.set(key, place)
        }
        ofKeys += `${place} `
      }
      let bytes = 0
      let behind = ''
      for (const text of texts) {
        const length = Buffer.byteLength(text)
        const before = `${length}:`
        bytes += before.length + length
        behind += before + text
      }
      parts.push(`${name} ${texts.length} ${bytes} ${ofKeys}${words}\n`, behind)
    }
    // One argument: client and server spend as much on each as on what is in it.
    const args = [lookMs, publish, MOST_LINES, parts.join('')]
    return within(timeoutMs, script.run(redis, allKeys, args)) as Promise<[string, ...unknown[]]>
  }
}
