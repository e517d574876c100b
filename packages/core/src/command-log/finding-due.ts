/**
 * Finds what is due by the marks of `marks.ts`, and moves those that it finds too early. Costs what is asked for: of the runs
 * whose mark has passed so many are looked at as it takes to find that, no others, and never many at the same time.
 */

import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { parseRunId } from '../model/ids.ts'
import { enlistedSince } from '../model/waiting-list.ts'
import { LogThrottle } from '../ports/log-throttle.ts'
import type { ILogger } from '../ports/logger.ts'
import type { DueFlow, DueItem, DueQuery } from '../ports/run-store.ts'
import { flowName, flowOfName } from './flow-name.ts'
import type { LogBackend, MarkedRuns } from './log-backend.ts'
import type { LoggedRun } from './logged-run.ts'
import { AT_ONCE, Turns } from './turns.ts'

export interface FindingDueOptions {
  readonly backend: LogBackend
  readonly logger: ILogger
  /** Reads a run; undefined when it is not there or is damaged. */
  readonly open: (runId: RunId) => Promise<LoggedRun | undefined>
  readonly look: (run: LoggedRun) => Promise<void>
}

type DueFilter = Omit<DueQuery, 'limit'>

/** What a look at a run gives, and whether it still has its mark. */
interface Seen {
  readonly items: readonly DueItem[]
  readonly stays: boolean
}

/** How many runs the backend is asked for in one go. */
const PAGE = 100
/** Runs that others write to keep their marks; nobody shall go round with them. */
const MOST_PAGES = 200

export class FindingDue {
  readonly #options: FindingDueOptions
  readonly #unread: LogThrottle
  readonly #turns = new Turns(AT_ONCE)

  constructor(options: FindingDueOptions) {
    this.#options = options
    this.#unread = new LogThrottle(options.backend.clock)
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
    const waiting = await this.#options.backend.waiting(flows)
    await Promise.all(
      waiting.map(async ({ list, runIds }) => {
        const runs = await Promise.all(runIds.map((runId) => this.#turns.take(() => this.#openListed(list, runId))))
        const present = runs.flatMap((run) => run ?? [])
        const name = flowName(list)
        if (present.length > 0) lists.set(name, [...(lists.get(name) ?? []), ...present])
      }),
    )
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

  /** What can be read of it: a part of the backend that does not answer keeps nobody from what the others have. */
  async #marked(limit: number, filter: DueFilter): Promise<readonly DueItem[]> {
    const { flows, unsentOnly = false } = filter
    const sources = await this.#options.backend.due({ flows, unsentOnly })
    const answers = await Promise.allSettled(sources.map((marked) => this.#among(marked, limit, filter)))
    const failures = answers.flatMap((answer): unknown[] => (answer.status === 'rejected' ? [answer.reason] : []))
    if (failures.length === 0) this.#unread.over()
    else this.#bear(failures, answers.length)
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }

  /** Throws what is more than an outage of some. */
  #bear(failures: readonly unknown[], of: number): void {
    const [error] = failures
    const worse = failures.find((each) => !BatonError.is(each, 'STORE_UNAVAILABLE'))
    if (worse !== undefined) throw worse
    if (failures.length === of) throw error
    const fields = { failed: failures.length, of, error }
    this.#options.logger.log(
      this.#unread.level(),
      'a part of what is due could not be read; the next look tries again',
      fields,
    )
  }

  async #among(marked: MarkedRuns, limit: number, filter: DueFilter): Promise<readonly DueItem[]> {
    const { clock } = this.#options.backend
    const items: DueItem[] = []
    for (let stayed = 0, pages = 0; items.length < limit && pages < MOST_PAGES; pages++) {
      const { runIds, isLast } = await marked.next(clock.now(), stayed, PAGE)
      const seen = await this.#lookThrough(runIds, limit - items.length, (runId) => this.#lookAt(runId, marked, filter))
      for (const each of seen) items.push(...each.items)
      if (isLast) break
      // The others' marks were moved, and what was behind them has moved up.
      stayed += seen.filter(({ stays }) => stays).length
    }
    return items
  }

  /** Looks at one run after the other, as many at once as may be wanted, until there is enough. */
  async #lookThrough(
    runIds: readonly RunId[],
    wanted: number,
    lookAt: (runId: RunId) => Promise<Seen>,
  ): Promise<readonly Seen[]> {
    const seen = new Map<number, Seen>()
    const left = runIds.entries()
    let isFailed = false
    let found = 0
    let underWay = 0
    const lane = async () => {
      // What is under way will mostly find something.
      while (!isFailed && found + underWay < wanted) {
        const { value, done } = left.next()
        if (done) return
        const [index, runId] = value
        underWay += 1
        try {
          const each = await this.#turns.take(() => lookAt(runId))
          found += each.items.length
          seen.set(index, each)
        } catch (error) {
          isFailed = true
          throw error
        } finally {
          underWay -= 1
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, runIds.length) }, lane))
    return [...seen].sort(([left], [right]) => left - right).map(([, each]) => each)
  }

  async #lookAt(runId: RunId, marked: MarkedRuns, filter: DueFilter): Promise<Seen> {
    const { open, look } = this.#options
    const run = await open(runId)
    if (run?.machine === undefined) return { items: [], stays: !(await marked.strike(runId)) }
    const atMs = this.#timeOf(run)
    const items = run.machine.due(atMs, filter)
    const nextMs = filter.unsentOnly === true ? run.machine.nextRemindAtMs() : run.machine.nextDueAtMs()
    if (nextMs > atMs || run.machine.isDone) await look(run)
    return { items, stays: nextMs <= atMs }
  }

  async #openListed(list: DueFlow, runId: RunId): Promise<LoggedRun | undefined> {
    const { open, backend } = this.#options
    const run = await open(runId)
    if (run?.machine !== undefined && enlistedSince(run.machine.state) !== undefined) return run
    await backend.delist(runId, list, run ?? NOTHING)
    return undefined
  }

  #timeOf(run: LoggedRun): number {
    return Math.max(this.#options.backend.clock.now(), run.nowMs)
  }
}

const NOTHING = { position: 0, stamp: '' }
