/** A short random life of a folder: a few stores of one process, and what each of them was told. */
import { type JsonValue, parseRunId } from '@baton/core'
import type { Claim } from '@baton/core/adapter'
import type { Dice } from '@baton/testing/simulator'
import { FileCoordinationStore } from '../../src/coordination-store.ts'
import { FileRunStore } from '../../src/run-store.ts'
import { claimOf, id, newRun, step } from '../runs.ts'
import type { TestClock } from '../test-clock.ts'

/** What was acknowledged, and must be there whatever happens next. */
export type Told =
  | { readonly what: 'created'; readonly runId: string; readonly input: JsonValue }
  | { readonly what: 'committed'; readonly runId: string; readonly instanceId: string; readonly fence: number }
  | { readonly what: 'signalled'; readonly runId: string; readonly signalId: string }
  | { readonly what: 'ended'; readonly runId: string; readonly status: string }
  | { readonly what: 'purged'; readonly runId: string }
  | { readonly what: 'counted'; readonly sum: number }

export const LAST_NODE = 2
/** Values of more than a few words lie apart. */
export const INLINE_BYTES = 256
const RUNS = 4
const ENDED = /^(completed|failed|cancelled)$/

export class Workload {
  readonly told: Told[] = []
  /** Runs that a purge has begun to remove: they are there or not, until it says so. */
  readonly doomed = new Set<string>()
  readonly #dice: Dice
  readonly #clock: TestClock
  readonly #stores: FileRunStore[]
  readonly #counter: FileCoordinationStore
  #signals = 0

  constructor(directory: string, dice: Dice, clock: TestClock) {
    this.#dice = dice
    this.#clock = clock
    const open = () =>
      new FileRunStore({ directory, clock, inlineMaxBytes: INLINE_BYTES, redoMaxBytes: dice.pick([2_000, 1_000_000]) })
    this.#stores = Array.from({ length: dice.between(1, 3) }, open)
    this.#counter = new FileCoordinationStore({ directory, clock, sealBytes: 1_024 })
  }

  /** Lives that many moments; in each, a few things happen side by side. */
  async live(moments: number): Promise<void> {
    for (let moment = 0; moment < moments; moment++) {
      this.#clock.advance(this.#dice.below(20_000))
      await Promise.all(Array.from({ length: this.#dice.pick([1, 1, 2, 3]) }, () => this.#act()))
    }
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close()
    await this.#counter.close()
  }

  async #act(): Promise<void> {
    const runId = `r${this.#dice.below(RUNS)}`
    const store = this.#dice.pick(this.#stores)
    const chance = this.#dice.below(100)
    if (chance < 20) await this.#create(store, runId)
    else if (chance < 65) await this.#work(store, runId)
    else if (chance < 72) await this.#signal(store, runId)
    else if (chance < 82) await this.#look(store, runId)
    else if (chance < 85) await store.due({ limit: 10 })
    else if (chance < 88) await this.#purge(store)
    else this.told.push({ what: 'counted', sum: await this.#counter.increment('counter') })
  }

  async #create(store: FileRunStore, runId: string): Promise<void> {
    const input = this.#dice.happens(0.2) ? 'x'.repeat(400) : runId
    const context = this.#dice.happens(0.3) ? { context: { big: 'y'.repeat(300) } } : {}
    const { status } = await store.create(newRun(runId, { input, ...context }))
    if (status === 'created') this.told.push({ what: 'created', runId, input })
  }

  /** Claims what can be claimed and commits it, and perhaps goes on with the next node in the same call. */
  async #work(store: FileRunStore, runId: string): Promise<void> {
    const [item] = await store.due({ limit: 1, runId: id(runId) })
    if (item?.type !== 'instance') return
    const result = await store.claim(claimOf(runId, item.instanceId, `w${this.#dice.below(1e9)}`))
    let held: Claim | undefined = result.status === 'claimed' ? result.claim : undefined
    while (held !== undefined && this.#dice.happens(0.9)) held = await this.#commit(store, runId, held)
  }

  async #commit(store: FileRunStore, runId: string, held: Claim): Promise<Claim | undefined> {
    const { instanceId, fence } = held
    const last = instanceId === `n${LAST_NODE}`
    const output = this.#dice.happens(0.1) ? 'z'.repeat(300) : fence
    const deltas = [{ op: 'increment', key: 'count', by: 1 } as const]
    const claimNext = !last && this.#dice.happens(0.5)
    const answer = await store.commit(step(runId, held, { output, deltas, last, claimNext }))
    if (answer.status !== 'committed') return undefined
    this.told.push({ what: 'committed', runId, instanceId, fence })
    return answer.claim
  }

  async #signal(store: FileRunStore, runId: string): Promise<void> {
    const signalId = `s${this.#signals++}`
    const { status } = await store.notify({ type: 'signal', runId: id(runId), name: 'news', signalId })
    if (status === 'accepted') this.told.push({ what: 'signalled', runId, signalId })
  }

  async #look(store: FileRunStore, runId: string): Promise<void> {
    const status = (await store.summary(id(runId)))?.status
    if (status !== undefined && ENDED.test(status)) this.told.push({ what: 'ended', runId, status })
  }

  async #purge(store: FileRunStore): Promise<void> {
    const ended = (await store.list({ status: ['completed'] })).runs
    // Also one that ends while the purge looks.
    for (const { what, ...each } of this.told) if (what === 'created' && 'runId' in each) this.doomed.add(each.runId)
    await store.purge({ endedBeforeMs: this.#clock.now() + 1 })
    for (const { runId } of ended) {
      if ((await store.load(parseRunId(runId))) === undefined) this.told.push({ what: 'purged', runId })
    }
  }
}
