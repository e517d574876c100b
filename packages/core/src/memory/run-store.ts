/**
 * The reference run store: a machine per run, and nothing that survives the process. Read this one first. It behaves
 * as if what it is given and what it gives were serialised: nobody shares an object with it.
 */
import { RunMachine } from '../machine/run-machine.ts'
import { pageOf } from '../machine/run-pages.ts'
import { tallyOf } from '../machine/tally.ts'
import { defaults } from '../model/blueprint.ts'
import { checkNumber, checkOptions } from '../model/check-options.ts'
import type { ContextEntry } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { firstUnpublished, PUBLISHED } from '../model/publication.ts'
import type { NewRun } from '../model/run.ts'
import { isTerminal, type RunRecord, type RunSummary } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { NEVER, summaryOf } from '../model/run-state.ts'
import { newestKnown } from '../model/succession.ts'
import { enlistedSince } from '../model/waiting-list.ts'
import type { ContextSource } from '../ports/async-context.ts'
import { checkInjected } from '../ports/check-injected.ts'
import type { ClaimRequest, ClaimResult, RenewRequest, RenewResult } from '../ports/claim.ts'
import { type IClock, systemClock } from '../ports/clock.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { onAbort } from '../ports/on-abort.ts'
import {
  type CreateResult,
  checkPurgeOptions,
  type DueFlow,
  type DueItem,
  type DueQuery,
  type IRunStore,
  type JournalOptions,
  type PurgeOptions,
  type RunPage,
  type RunQuery,
} from '../ports/run-store.ts'
import type { CommitResult, FirstClaim, Transition } from '../ports/transition.ts'
import type { EnlistRequest, EnlistResult, WaitingList } from '../ports/waiting-lists.ts'
import { DueIndex } from './due-index.ts'
import { type List, WaitingLists } from './waiting-lists.ts'

export interface InMemoryRunStoreOptions {
  readonly clock?: IClock
  readonly redispatchMs?: number
  readonly redispatchMaxMs?: number
  /** @internal Makes the machine of a new run. The simulator watches machines, and puts spoilt ones in their place. */
  readonly newMachine?: typeof RunMachine.create
}

interface Entry {
  readonly machine: RunMachine
  readonly events: RunEvent[]
  readonly followers: Set<() => void>
}

export class InMemoryRunStore implements IRunStore {
  readonly durability = 'none'
  readonly #runs = new Map<RunId, Entry>()
  readonly #purged = new Map<RunId, number>()
  readonly #due = new DueIndex()
  readonly #waiting = new WaitingLists()
  readonly #clock: Pick<IClock, 'now'>
  readonly #times: { readonly redispatchMs: number; readonly redispatchMaxMs: number }
  readonly #newMachine: typeof RunMachine.create

  constructor(options: InMemoryRunStoreOptions = {}) {
    checkOptions(options, runStoreOptions)
    checkInjected(options)
    for (const name of ['redispatchMs', 'redispatchMaxMs'] as const) checkNumber(options[name], name, { least: 1 })
    this.#clock = onwardOnly(options.clock ?? systemClock)
    this.#times = {
      redispatchMs: options.redispatchMs ?? defaults.redispatchMs,
      redispatchMaxMs: options.redispatchMaxMs ?? defaults.redispatchMaxMs,
    }
    this.#newMachine = options.newMachine ?? RunMachine.create
  }

  create(run: NewRun, first?: FirstClaim): CreateResult {
    parseRunId(run.runId)
    const known = this.#runs.get(run.runId)
    if (known !== undefined) return { status: 'exists', same: known.machine.isSameStart(run) }
    if ((this.#purged.get(run.runId) ?? 0) > this.#clock.now()) return { status: 'purged' }
    const events: RunEvent[] = []
    const onEvent = (event: RunEvent) => void events.push(event)
    const machine = this.#newMachine(structuredClone(run), this.#clock.now(), { ...this.#times, onEvent })
    this.#runs.set(run.runId, { machine, events, followers: new Set() })
    const claim = first === undefined ? undefined : structuredClone(machine.claimFirst(first, this.#clock.now()))
    this.#due.file(run.runId, machine.nextDueAtMs())
    return claim === undefined ? { status: 'created' } : { status: 'created', claim }
  }

  claim(request: ClaimRequest): ClaimResult {
    const entry = this.#find(request.runId)
    if (entry === undefined) return { status: 'unknown-run' }
    return this.#change(entry, () => entry.machine.claim(request, this.#clock.now()))
  }

  commit(transition: Transition): CommitResult {
    const entry = this.#find(transition.runId)
    if (entry === undefined) return { status: 'unknown-run' }
    const own = structuredClone(transition)
    return this.#change(entry, () => entry.machine.commit(own, this.#clock.now()))
  }

  notify(notice: Notice): NoticeResult {
    const entry = this.#find(notice.runId)
    if (entry === undefined) return { status: 'unknown-run' }
    const own = structuredClone(notice)
    return this.#change(entry, () => entry.machine.notify(own, this.#clock.now()))
  }

  renew(request: RenewRequest): RenewResult {
    const entry = this.#find(request.runId)
    if (entry === undefined) {
      const lost = request.claims.map(({ instanceId }) => instanceId)
      return { run: { status: 'cancelled', stopping: true, seq: 0 }, lost, cancelled: [] }
    }
    return entry.machine.renew(request, this.#clock.now())
  }

  load(runId: RunId): RunRecord | undefined {
    const entry = this.#find(runId)
    return entry === undefined ? undefined : structuredClone(recordOf(entry.machine.state))
  }

  summary(runId: RunId): RunSummary | undefined {
    const entry = this.#find(runId)
    return entry === undefined ? undefined : structuredClone(summaryOf(entry.machine.state))
  }

  context(runId: RunId): ContextSource {
    const entries = () => this.#entry(runId).machine.state.context
    return {
      read(keys) {
        const all = entries()
        const found = new Map<string, ContextEntry>()
        for (const key of keys) {
          const entry = all.get(key)
          if (entry !== undefined) found.set(key, structuredClone(entry))
        }
        return found
      },
      readAll: () => structuredClone(entries()),
    }
  }

  async *journal(
    runId: RunId,
    { from = 1, live = false, unpublished, signal }: JournalOptions = {},
  ): AsyncGenerator<RunEvent> {
    const { events, machine, followers } = this.#entry(runId)
    const first = unpublished === true ? firstUnpublished(machine.state) : from
    for (let index = Math.max(0, first - 1); ; index++) {
      while (index >= events.length) {
        if (!live || signal?.aborted === true || isTerminal(machine.state.status)) return
        await new Promise<void>((resolve) => {
          const wake = () => {
            followers.delete(wake)
            stopListening()
            resolve()
          }
          followers.add(wake)
          const stopListening = onAbort(signal, wake)
        })
      }
      if (signal?.aborted === true) return
      yield structuredClone(events[index] as RunEvent)
    }
  }

  async untilEnd(runId: RunId, signal?: AbortSignal): Promise<RunSummary | undefined> {
    const { machine, followers } = this.#entry(runId)
    const answer = () => structuredClone(summaryOf(machine.state))
    return new Promise((resolve) => {
      const look = () => {
        const hasEnded = isTerminal(machine.state.status)
        if (!hasEnded && signal?.aborted !== true) return
        followers.delete(look)
        stopListening()
        resolve(hasEnded ? answer() : undefined)
      }
      followers.add(look)
      const stopListening = onAbort(signal, look)
      look()
    })
  }

  list(query: RunQuery = {}): RunPage {
    const page = pageOf(
      [...this.#runs.values()].map(({ machine }) => summaryOf(machine.state)),
      query,
    )
    return structuredClone(page)
  }

  due({ limit, ...filter }: DueQuery): readonly DueItem[] {
    const nowMs = this.#clock.now()
    if (filter.runId !== undefined) return this.#find(filter.runId)?.machine.due(nowMs, filter).slice(0, limit) ?? []
    const items: DueItem[] = []
    if (filter.enlisted === true) {
      for (const list of this.#waiting.lists(filter.flows)) {
        for (const machine of this.#onList(list)) items.push(...machine.due(nowMs, filter))
      }
      return items.sort((left, right) => left.dueAtMs - right.dueAtMs).slice(0, limit)
    }
    for (const runId of this.#due.take(nowMs)) {
      const machine = this.#runs.get(runId)?.machine
      if (machine === undefined) continue
      items.push(...machine.due(nowMs, filter))
      this.#due.file(runId, machine.nextDueAtMs())
    }
    items.sort((left, right) => left.dueAtMs - right.dueAtMs)
    return items.slice(0, limit)
  }

  redispatch(items: readonly DueItem[]): void {
    for (const item of items) {
      const instances = item.type === 'instance' ? [item.instanceId] : []
      const messages = item.type === 'message' ? [item.message.key] : item.type === 'journal' ? [PUBLISHED] : []
      this.#runs.get(item.runId)?.machine.redispatch(instances, this.#times, this.#clock.now(), messages)
    }
  }

  delivered(runId: RunId, keys: readonly string[]): void {
    this.#find(runId)?.machine.delivered(keys)
  }

  enlist({ runId, instanceId }: EnlistRequest): EnlistResult {
    const entry = this.#find(runId)
    if (entry === undefined) return { status: 'unknown-run' }
    const result = entry.machine.enlist(instanceId, this.#clock.now())
    if (result.status === 'enlisted') this.#waiting.add(entry.machine.state.head)
    return result
  }

  waitingLists(): readonly WaitingList[] {
    return this.#waiting.lists().flatMap((list) => tallyOf(list, this.#onList(list)) ?? [])
  }

  onEnlisted(flows: readonly DueFlow[], wake: () => void): () => void {
    return this.#waiting.listen(flows, wake)
  }

  purge(options: PurgeOptions): number {
    const { endedBeforeMs, limit = 1_000 } = checkPurgeOptions(options)
    const nowMs = this.#clock.now()
    for (const [runId, untilMs] of this.#purged) if (untilMs <= nowMs) this.#purged.delete(runId)
    let count = 0
    for (const [runId, { machine }] of this.#runs) {
      if (count >= limit) break
      const { endedAtMs, head } = machine.state
      if (!machine.isDone || endedAtMs === undefined || endedAtMs >= endedBeforeMs) continue
      if (!this.#rootHasEnded(head.lineage.rootRunId) || this.#leadsOn(machine, endedBeforeMs)) continue
      this.#runs.delete(runId)
      this.#due.remove(runId)
      this.#purged.set(runId, nowMs + defaults.tombstoneMs)
      count += 1
    }
    return count
  }

  close(): void {}

  /** The runs that are on the list. Those that have left are struck out. */
  #onList(list: List): readonly RunMachine[] {
    const machines: RunMachine[] = []
    for (const runId of list.runs) {
      const machine = this.#runs.get(runId)?.machine
      if (machine !== undefined && enlistedSince(machine.state) !== undefined) machines.push(machine)
      else this.#waiting.remove(list, runId)
    }
    return machines
  }

  #rootHasEnded(rootRunId: RunId): boolean {
    const root = this.#runs.get(rootRunId)
    return root === undefined || isTerminal(root.machine.state.status)
  }

  /** The id by which people know runs that go on for each other stays as long as the last of them. */
  #leadsOn({ state }: RunMachine, endedBeforeMs: number): boolean {
    const newest = newestKnown(state)
    if (newest === undefined || state.head.lineage.succession !== undefined) return false
    const last = this.#runs.get(newest)?.machine.state
    return last !== undefined && (last.continuedBy !== undefined || (last.endedAtMs ?? NEVER) >= endedBeforeMs)
  }

  #find(runId: RunId): Entry | undefined {
    const entry = this.#runs.get(runId)
    if (entry === undefined) parseRunId(runId)
    return entry
  }

  #entry(runId: RunId): Entry {
    const entry = this.#find(runId)
    if (entry === undefined) throw new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
    return entry
  }

  #change<Result>(entry: Entry, change: () => Result): Result {
    const result = structuredClone(change())
    this.#due.file(entry.machine.state.head.runId, entry.machine.takeNewDueAtMs())
    for (const wake of [...entry.followers]) wake()
    return result
  }
}

/** A store's time never goes back: an event is no older than the one before it. */
function onwardOnly(clock: IClock): Pick<IClock, 'now'> {
  let latestMs = Number.NEGATIVE_INFINITY
  return {
    now() {
      latestMs = Math.max(latestMs, clock.now())
      return latestMs
    },
  }
}

const runStoreOptions = [
  'clock',
  'redispatchMs',
  'redispatchMaxMs',
  'newMachine',
] as const satisfies readonly (keyof InMemoryRunStoreOptions)[]
