/**
 * Runs in Redis. A run is the list of its commands; whoever has read the list has the run, and core's machine says what
 * each command does (`run-store/logged-run.ts`). Beside the lists stand indexes of what is due, what has ended and what
 * there is (`keys.ts`). One script writes all of it (`scripts/transact.ts`).
 */
import { BatonError } from '@baton/core'
import {
  type ClaimRequest,
  type ClaimResult,
  type CommitResult,
  type ContextSource,
  type CreateResult,
  checkPurgeOptions,
  copyOf,
  type DueFlow,
  type DueItem,
  type DueQuery,
  type Durability,
  type EnlistRequest,
  type EnlistResult,
  type FirstClaim,
  type IRunStore,
  type JournalOptions,
  type NewRun,
  type Notice,
  type NoticeResult,
  type PurgeOptions,
  parseRunId,
  type RenewRequest,
  type RenewResult,
  type RunEvent,
  type RunId,
  type RunPage,
  type RunQuery,
  type RunRecord,
  type RunState,
  type RunSummary,
  recordOf,
  storedContext,
  summaryOf,
  type Transition,
  tallyOf,
  type WaitingList,
} from '@baton/core/adapter'
import { messageOf } from './errors.ts'
import { flowName, namesFor } from './keys.ts'
import { follow } from './run-store/journal.ts'
import { listNotes } from './run-store/listing.ts'
import { parseNote } from './run-store/notes.ts'
import { openParts, type Parts } from './run-store/parts.ts'
import { purge } from './run-store/retention.ts'
import { untilEnd, type Watch } from './run-store/until-end.ts'
import { type CheckedRunStoreOptions, checkRunStoreOptions, type RedisRunStoreOptions } from './run-store-options.ts'

export class RedisRunStore implements IRunStore {
  readonly #options: CheckedRunStoreOptions
  readonly #closing = new AbortController()
  /** Those who wait for the end of a run. */
  readonly #waiting = new Set<() => void>()
  #parts: Promise<Parts> | undefined
  /** The same, once they are there: what is asked for with every node does not wait for what is known. */
  #opened: Parts | undefined
  #durability: Durability = 'process'

  /** Connects with the first call. To learn of a mistake at once, use `connect`. */
  constructor(options: RedisRunStoreOptions) {
    this.#options = checkRunStoreOptions(options)
  }

  /** Opens a store. Throws `INVALID_OPTION` for a server that would lose runs, `STORE_UNAVAILABLE` where there is none. */
  static async connect(options: RedisRunStoreOptions): Promise<RedisRunStore> {
    const store = new RedisRunStore(options)
    try {
      await store.#open()
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /** What the server says that it keeps: known when the store is connected. */
  get durability(): Durability {
    return this.#durability
  }

  async create(run: NewRun, first?: FirstClaim): Promise<CreateResult> {
    parseRunId(run.runId)
    const { runs } = this.#opened ?? (await this.#open())
    const answer = await runs.change(
      run.runId,
      first === undefined ? { type: 'create', run } : { type: 'create', run, first },
    )
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    if (answer?.type === 'create') return answer.result
    throw new BatonError('STORE_UNAVAILABLE', {
      runId: run.runId,
      message: `${run.runId} was removed while it was made`,
    })
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    parseRunId(request.runId)
    const { runs } = this.#opened ?? (await this.#open())
    const answer = await runs.change(request.runId, { type: 'claim', request })
    return answer?.type === 'claim' ? answer.result : { status: 'unknown-run' }
  }

  async commit(transition: Transition): Promise<CommitResult> {
    parseRunId(transition.runId)
    const { runs } = this.#opened ?? (await this.#open())
    const answer = await runs.change(transition.runId, { type: 'commit', transition })
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    return answer?.type === 'commit' ? answer.result : { status: 'unknown-run' }
  }

  async notify(notice: Notice): Promise<NoticeResult> {
    parseRunId(notice.runId)
    const { runs } = await this.#open()
    const answer = await runs.change(notice.runId, { type: 'notify', notice })
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    return answer?.type === 'notify' ? answer.result : { status: 'unknown-run' }
  }

  async renew(request: RenewRequest): Promise<RenewResult> {
    parseRunId(request.runId)
    const { runs } = await this.#open()
    const answer = await runs.change(request.runId, { type: 'renew', request })
    if (answer?.type === 'renew') return answer.result
    const lost = request.claims.map(({ instanceId }) => instanceId)
    return { run: { status: 'cancelled', stopping: true, seq: 0 }, lost, cancelled: [] }
  }

  async load(runId: RunId): Promise<RunRecord | undefined> {
    const state = await this.#read(runId)
    return state === undefined ? undefined : copyOf(recordOf(state))
  }

  async summary(runId: RunId): Promise<RunSummary | undefined> {
    parseRunId(runId)
    const { runs, keys, indexes } = await this.#open()
    // How a run has ended is noted: nobody has to read the whole of it for that.
    if (runs.known(runId) === undefined) {
      const [text] = await indexes.notes(keys.ofShard(keys.shardOf(runId)).notes, [runId])
      const summary = parseNote(text)?.summary
      if (summary !== undefined) return summary
    }
    const state = await this.#read(runId)
    return state === undefined ? undefined : copyOf(summaryOf(state))
  }

  context(runId: RunId): ContextSource {
    return storedContext(async () => {
      const state = await this.#read(runId)
      if (state === undefined) throw unknownRun(runId)
      return state
    })
  }

  async *journal(runId: RunId, { from = 1, live = false, signal }: JournalOptions = {}): AsyncGenerator<RunEvent> {
    parseRunId(runId)
    const { runs, news, keys } = await this.#open()
    const run = await runs.open(runId)
    if (run?.machine === undefined) throw unknownRun(runId)
    const isAll = yield* follow({
      run,
      replay: () => runs.handle(runId),
      from,
      live,
      signal: AbortSignal.any(signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]),
      watch: (wake) => news.watch(keys.log(runId), wake),
    })
    // Whoever reads it must not take it for a run that has said nothing more.
    if (!isAll && this.#closing.signal.aborted && signal?.aborted !== true) throw new BatonError('CLOSED')
  }

  async untilEnd(runId: RunId, signal?: AbortSignal): Promise<RunSummary | undefined> {
    parseRunId(runId)
    const { runs, news, keys } = await this.#open()
    // What is known will do until the end is told of, or nobody can tell.
    const run = runs.known(runId) ?? (await runs.open(runId))
    if (run?.machine === undefined) throw unknownRun(runId)
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    const watch: Watch = (wake) => news.watch(keys.endNews(runId), wake)
    const onClose = (callback: () => void) => {
      this.#waiting.add(callback)
      return () => this.#waiting.delete(callback)
    }
    const summary = await untilEnd(run, { watch, signal, onClose })
    if (summary === undefined && this.#closing.signal.aborted) throw new BatonError('CLOSED')
    if (summary === undefined && run.removed) throw unknownRun(runId)
    return summary
  }

  async list(query: RunQuery = {}): Promise<RunPage> {
    const parts = await this.#open()
    await parts.settled()
    const { notes, cursor } = await listNotes(parts.keys, parts.indexes, query)
    const summaries = await Promise.all(notes.map((note) => note.summary ?? this.#summaryIfSound(note.runId)))
    const runs = summaries.flatMap((summary) => summary ?? [])
    return cursor === undefined ? { runs } : { runs, cursor }
  }

  async due(query: DueQuery): Promise<readonly DueItem[]> {
    const parts = await this.#open()
    await parts.settled()
    return parts.due.due(query)
  }

  async redispatch(items: readonly DueItem[]): Promise<void> {
    const { runs } = await this.#open()
    const { redispatchMs, redispatchMaxMs } = this.#options
    const byRun = new Map<RunId, { readonly instances: string[]; readonly messages: string[] }>()
    for (const item of items) {
      const ofRun = byRun.get(item.runId) ?? { instances: [], messages: [] }
      byRun.set(item.runId, ofRun)
      if (item.type === 'instance') ofRun.instances.push(item.instanceId)
      else if (item.type === 'message') ofRun.messages.push(item.message.key)
    }
    await Promise.all(
      [...byRun].map(([runId, ofRun]) =>
        runs.change(runId, { type: 'redispatch', runId, ...ofRun, redispatchMs, redispatchMaxMs }),
      ),
    )
  }

  async delivered(runId: RunId, keys: readonly string[]): Promise<void> {
    const { runs } = await this.#open()
    await runs.change(runId, { type: 'delivered', runId, keys })
  }

  async enlist({ runId, instanceId }: EnlistRequest): Promise<EnlistResult> {
    parseRunId(runId)
    const { runs, keys, line, tellWaiting } = await this.#open()
    const run = await runs.open(runId)
    const { head } = run?.machine?.state ?? {}
    if (run === undefined || head === undefined) return { status: 'unknown-run' }
    const shard = keys.shardOf(runId)
    // Before the command, so that it is found whatever becomes of us; whoever finds it in vain takes it away.
    await line(shard).send({ name: 'enlist', keys: [keys.waiting(shard, flowName(head))], words: '', texts: [runId] })
    const answer = await runs.change(runId, { type: 'enlist', runId, instanceId })
    if (answer?.type !== 'enlist') return { status: 'unknown-run' }
    if (answer.result.status === 'enlisted') tellWaiting(flowName(head))
    return answer.result
  }

  async waitingLists(): Promise<readonly WaitingList[]> {
    const { due } = await this.#open()
    const lists = await due.lists()
    return lists.flatMap(
      ({ list, runs }) =>
        tallyOf(
          list,
          runs.flatMap(({ machine }) => machine ?? []),
        ) ?? [],
    )
  }

  onEnlisted(flows: readonly DueFlow[], wake: () => void): () => void {
    const names = namesFor(flows)
    let isOver = false
    let stop = () => {}
    this.#open().then(
      ({ news, keys }) => {
        if (isOver) return
        const stops = names.map((name) => news.watch(keys.waitingNews(name), wake))
        stop = () => {
          for (const each of stops) each()
        }
      },
      // Only a hint: the sweep finds what it would have told.
      () => {},
    )
    return () => {
      isOver = true
      stop()
    }
  }

  async purge(options: PurgeOptions): Promise<number> {
    checkPurgeOptions(options)
    const parts = await this.#open()
    await parts.settled()
    const { tombstoneMs } = this.#options
    const forget = (runId: RunId) => parts.runs.forget(runId)
    return purge({ ...parts, tombstoneMs, forget }, options)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#opened = undefined
    for (const stop of [...this.#waiting]) stop()
    const parts = await this.#parts?.catch(() => undefined)
    await parts?.close()
  }

  async #open(): Promise<Parts> {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    this.#parts ??= openParts(this.#options)
    try {
      const parts = await this.#parts
      this.#durability = parts.durability
      if (!this.#closing.signal.aborted) this.#opened = parts
      return parts
    } catch (error) {
      // The next call tries again.
      this.#parts = undefined
      throw error
    }
  }

  async #read(runId: RunId): Promise<RunState | undefined> {
    parseRunId(runId)
    const { runs } = await this.#open()
    return (await runs.open(runId))?.machine?.state
  }

  /** For those who look at all runs: a damaged one is reported and left out. */
  async #summaryIfSound(runId: RunId): Promise<RunSummary | undefined> {
    try {
      return await this.summary(runId)
    } catch (error) {
      if (!BatonError.is(error, 'STORE_CORRUPT')) throw error
      this.#options.logger.log('error', 'a run is damaged and was left out', { runId, error: messageOf(error) })
      return undefined
    }
  }
}

function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}
