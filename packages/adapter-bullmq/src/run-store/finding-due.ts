/**
 * Finds what is due by the marks of `marks.ts`, and moves those that it finds too early. Costs what is due: the runs
 * whose mark has passed are looked at, no others.
 */
import { BatonError } from '@baton/core'
import { type DueFlow, type DueItem, type DueQuery, enlistedSince, parseRunId, type RunId } from '@baton/core/adapter'
import { flowOfName, type Keys, namesFor } from '../keys.ts'
import type { LoggedRun } from './logged-run.ts'
import type { ScriptLine } from './script-line.ts'
import type { StoreClock } from './store-clock.ts'

/** What of Redis is read here. */
export interface Indexes {
  /** Those whose mark is not behind the instant, the earliest first. */
  marked(key: string, untilMs: number, offset: number, count: number): Promise<readonly string[]>
  members(key: string): Promise<readonly string[]>
}

export interface FindingDueOptions {
  readonly keys: Keys
  readonly indexes: Indexes
  readonly clock: StoreClock
  readonly line: (shard: number) => ScriptLine
  /** Reads a run; undefined when it is not there or is damaged. */
  readonly open: (runId: RunId) => Promise<LoggedRun | undefined>
  readonly look: (run: LoggedRun) => Promise<void>
}

type DueFilter = Omit<DueQuery, 'limit'>

/** How many runs are looked at in one go. */
const PAGE = 100
/** Runs that others write to keep their marks; nobody shall go round with them. */
const MOST_PAGES = 200

export class FindingDue {
  readonly #options: FindingDueOptions

  constructor(options: FindingDueOptions) {
    this.#options = options
  }

  async due({ limit, ...filter }: DueQuery): Promise<readonly DueItem[]> {
    const found =
      filter.runId !== undefined
        ? await this.#ofRun(filter.runId, filter)
        : filter.enlisted === true
          ? await this.#onLists(limit, filter)
          : await this.#marked(limit, filter)
    return [...found].sort((left, right) => left.dueAtMs - right.dueAtMs).slice(0, limit)
  }

  /** All waiting lists that there have been, and the runs on each. Those that have left are struck out. */
  async lists(flows?: readonly DueFlow[]): Promise<readonly { readonly list: DueFlow; readonly runs: LoggedRun[] }[]> {
    const lists = new Map<string, LoggedRun[]>()
    const { keys, indexes } = this.#options
    const ofShard = async (shard: number) => {
      const names = flows === undefined ? await indexes.members(keys.ofShard(shard).flows) : namesFor(flows)
      const onList = async (name: string) => {
        const key = keys.waiting(shard, name)
        const runIds = (await indexes.members(key)) as readonly RunId[]
        const runs = await Promise.all(runIds.map((runId) => this.#openListed(shard, key, runId)))
        const present = runs.flatMap((run) => run ?? [])
        if (present.length > 0) lists.set(name, [...(lists.get(name) ?? []), ...present])
      }
      await Promise.all(names.map(onList))
    }
    await Promise.all(shardsOf(keys).map(ofShard))
    return [...lists].map(([name, runs]) => ({ list: flowOfName(name), runs }))
  }

  async #ofRun(runId: RunId, filter: DueFilter): Promise<readonly DueItem[]> {
    parseRunId(runId)
    const run = await this.#options.open(runId)
    return run?.machine?.due(this.#timeOf(run), filter) ?? []
  }

  async #onLists(limit: number, filter: DueFilter): Promise<readonly DueItem[]> {
    const items: DueItem[] = []
    for (const { runs } of await this.lists(filter.flows)) {
      for (const run of runs) {
        if (items.length >= limit) break
        items.push(...(run.machine?.due(this.#timeOf(run), filter) ?? []))
      }
    }
    return items
  }

  async #marked(limit: number, filter: DueFilter): Promise<readonly DueItem[]> {
    const { keys, indexes } = this.#options
    const found = await Promise.all(
      shardsOf(keys).map(async (shard) => {
        if (filter.unsentOnly === true) return this.#inIndex(keys.ofShard(shard).remind, limit, filter)
        const names =
          filter.flows === undefined ? await indexes.members(keys.ofShard(shard).flows) : namesFor(filter.flows)
        const each = await Promise.all(names.map((name) => this.#inIndex(keys.due(shard, name), limit, filter)))
        return each.flat()
      }),
    )
    return found.flat()
  }

  async #inIndex(key: string, limit: number, filter: DueFilter): Promise<readonly DueItem[]> {
    const { indexes, open, look, clock } = this.#options
    const items: DueItem[] = []
    for (let offset = 0, pages = 0; items.length < limit && pages < MOST_PAGES; pages++) {
      const nowMs = clock.now()
      const runIds = (await indexes.marked(key, nowMs, offset, PAGE)) as readonly RunId[]
      const looks = runIds.map(async (runId) => {
        const run = await open(runId)
        if (run?.machine === undefined) {
          return { items: [], stays: !(await this.#strike(key, runId)) }
        }
        const atMs = this.#timeOf(run)
        const due = run.machine.due(atMs, filter)
        const nextMs = filter.unsentOnly === true ? run.machine.nextRemindAtMs() : run.machine.nextDueAtMs()
        if (nextMs > atMs || run.machine.isDone) await look(run)
        return { items: due, stays: nextMs <= atMs }
      })
      const seen = await Promise.all(looks)
      for (const each of seen) items.push(...each.items)
      if (runIds.length < PAGE) break
      // The others' marks were moved, and what was behind them has moved up.
      offset += seen.filter(({ stays }) => stays).length
    }
    return items
  }

  async #openListed(shard: number, key: string, runId: RunId): Promise<LoggedRun | undefined> {
    const { open, line, keys } = this.#options
    const run = await open(runId)
    if (run?.machine !== undefined && isEnlisted(run)) return run
    const words = `${run?.position ?? 0} ${run?.stamp || '-'}`
    const step = { name: 'delist', keys: [keys.log(runId), key], words, texts: [] } as const
    await unlessCorrupt(line(shard).send(step))
    return undefined
  }

  /** Takes away the mark of a run that is not there. @returns whether it did: one that is damaged keeps it */
  async #strike(key: string, runId: RunId): Promise<boolean> {
    const { keys, line } = this.#options
    const words = '0 - - - . . 0'
    const step = { name: 'index', keys: [keys.log(runId), key], words, texts: [] } as const
    return (await unlessCorrupt(line(keys.shardOf(runId)).send(step)))?.count === 1
  }

  #timeOf(run: LoggedRun): number {
    return Math.max(this.#options.clock.now(), run.nowMs)
  }
}

/** What is wrong with one run is not for those who look at all. @returns undefined where it is */
export async function unlessCorrupt<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (BatonError.is(error, 'STORE_CORRUPT')) return undefined
    throw error
  }
}

function isEnlisted({ machine }: LoggedRun): boolean {
  return machine !== undefined && enlistedSince(machine.state) !== undefined
}

export function shardsOf({ shards }: Keys): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard)
}
