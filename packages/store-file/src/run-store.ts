/**
 * Runs in a folder: one append-only log per run, shared by all processes of a machine, and no server.
 *
 * Every change of a run is one command on one line (`stored-run.ts`), written without a lock (`shared-log.ts`). Reading
 * is folding. Beside the logs there are only hints: markers that say when to look at which run, and notes about runs
 * that have ended; both are made again from the logs when they are lost.
 */
import { BatonError, isTerminal } from '@baton/core'
import {
  type Command,
  CommandStore,
  type ContextSource,
  type CreateResult,
  checkPurgeOptions,
  copyOf,
  type DueFlow,
  type DueItem,
  type DueQuery,
  type EnlistRequest,
  type EnlistResult,
  type FirstClaim,
  firstUnpublished,
  type IRunStore,
  type JournalOptions,
  messageOf,
  type NewRun,
  type Notice,
  type NoticeResult,
  type PurgeOptions,
  pageOf,
  type RunEvent,
  type RunId,
  type RunPage,
  type RunQuery,
  type RunRecord,
  type RunState,
  type RunSummary,
  recentEvents,
  recordOf,
  redispatchCommands,
  storedContext,
  summaryOf,
  type WaitingList,
} from '@baton/core/adapter'
import { storeFailure } from './failure.ts'
import { follow } from './journal.ts'
import {
  type CheckedRunStoreOptions,
  checkRunStoreOptions,
  type FileDurability,
  type FileRunStoreOptions,
} from './options.ts'
import { openParts, type Parts } from './parts.ts'
import { purge, removeRun } from './retention.ts'
import type { StoredRun } from './stored-run.ts'
import type { Sweep } from './sweep.ts'

export class FileRunStore extends CommandStore implements IRunStore {
  readonly durability: FileDurability
  readonly #options: CheckedRunStoreOptions
  readonly #parts: Parts
  readonly #closing = new AbortController()
  #repairedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: FileRunStoreOptions) {
    super()
    this.#options = checkRunStoreOptions(options)
    this.#parts = openParts(this.#options)
    this.durability = this.#parts.folder.durability
  }

  async create(run: NewRun, first?: FirstClaim): Promise<CreateResult> {
    const { runs, folder, tombstones, index, drop } = this.#open()
    const { runId } = run
    const { clock } = this.#options
    const command: Command = { type: 'create', run, ...(first === undefined ? {} : { first }) }
    if (tombstones.isThere(runId) && (await tombstones.keeps(runId, clock.now(), folder.folders)))
      return { status: 'purged' }
    let answer = await runs.change(runId, command)
    if (answer === undefined) {
      // What this process knew of it was the run that was purged, and it may have noted that one's end once more.
      index.forget(runId)
      answer = await runs.change(runId, command)
    }
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    if (tombstones.has(runId, clock.now())) {
      // It was purged while we looked, and we may have brought it back.
      if (answer?.type === 'create' && answer.result.status === 'created') removeRun(folder.paths, runId)
      drop(runId)
      return { status: 'purged' }
    }
    if (answer?.type === 'create') return answer.result
    throw new BatonError('STORE_UNAVAILABLE', { runId, message: `the log of ${runId} was removed while it was made` })
  }

  async notify(notice: Notice): Promise<NoticeResult> {
    const answer = await this.change(notice.runId, { type: 'notify', notice })
    if (answer?.type === 'too-large') {
      throw new BatonError('TOO_LARGE', { field: 'notice', message: `at most ${answer.limitBytes} bytes` })
    }
    return answer?.type === 'notify' ? answer.result : { status: 'unknown-run' }
  }

  async load(runId: RunId): Promise<RunRecord | undefined> {
    const state = await this.#read(runId)
    return state === undefined ? undefined : copyOf(recordOf(state))
  }

  async summary(runId: RunId): Promise<RunSummary | undefined> {
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

  async *journal(runId: RunId, options: JournalOptions = {}): AsyncGenerator<RunEvent> {
    const { live = false, unpublished, signal } = options
    const { runs } = this.#open()
    const run = runs.open(runId)
    if (run?.machine === undefined) throw unknownRun(runId)
    const { state } = run.machine
    const from = unpublished === true ? firstUnpublished(state) : (options.from ?? 1)
    const recent = live ? undefined : recentEvents(state, from)
    if (recent !== undefined) {
      const own = copyOf(recent)
      // Nobody must see an event that a power cut takes back.
      if (own.length > 0) await run.flush()
      return yield* own
    }
    yield* follow({
      run,
      replay: runs.handle(runId),
      from,
      live,
      // One of its own for each follower: listeners of thousands would pile up on ours.
      signal: AbortSignal.any(signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]),
      clock: this.#options.clock,
      pollMs: this.#options.pollMs,
    })
  }

  async list(query: RunQuery = {}): Promise<RunPage> {
    const { index, openSound } = this.#open()
    const notes = [...(await index.scan()).values()]
    // A page is chosen by what a note has; only its own runs are then read whole.
    const page = pageOf(notes as readonly unknown[] as readonly RunSummary[], query)
    const stored = page.runs.flatMap(({ runId }) => openSound(runId) ?? [])
    const runs = stored.flatMap(({ machine }) => (machine === undefined ? [] : copyOf(summaryOf(machine.state))))
    await Promise.all(stored.map(flushEnd))
    return { ...page, runs }
  }

  async due(query: DueQuery): Promise<readonly DueItem[]> {
    const { waiting, sweep } = this.#open()
    this.#repairNowAndThen(sweep)
    try {
      const from = query.enlisted === true && query.runId === undefined ? waiting : sweep
      return await from.due(query, this.#options.clock.now())
    } catch (error) {
      throw storeFailure(error, 'looking for what is due')
    }
  }

  async redispatch(items: readonly DueItem[]): Promise<void> {
    for (const command of redispatchCommands(items, this.#options)) await this.change(command.runId, command)
  }

  async enlist(request: EnlistRequest): Promise<EnlistResult> {
    return this.#open().enlisting.enlist(request)
  }

  async waitingLists(): Promise<readonly WaitingList[]> {
    return this.#open().enlisting.tallies()
  }

  onEnlisted(flows: readonly DueFlow[], wake: () => void): () => void {
    return this.#open().enlisting.listen(flows, wake)
  }

  async purge(options: PurgeOptions): Promise<number> {
    const { folder, index, tombstones, forget } = this.#open()
    checkPurgeOptions(options)
    try {
      return await purge({ ...folder, index, tombstones, forget }, options, this.#options.clock.now())
    } catch (error) {
      throw storeFailure(error, 'removing runs')
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#parts.close()
  }

  protected override change(runId: RunId, command: Command): ReturnType<Parts['runs']['change']> {
    return this.#open().runs.change(runId, command)
  }

  async #read(runId: RunId): Promise<RunState | undefined> {
    const run = this.#open().runs.open(runId)
    const state = run?.machine?.state
    if (run !== undefined) await flushEnd(run)
    return state
  }

  /** Hangs on to the sweeps, so that no timer has to. The first one comes with the first sweep. */
  #repairNowAndThen(sweep: Sweep): void {
    const { clock, repairMs } = this.#options
    const nowMs = clock.now()
    if (nowMs - this.#repairedAtMs < repairMs) return
    this.#repairedAtMs = nowMs
    sweep
      .repair(() => clock.now(), this.#closing.signal)
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#options.logger.log('warn', 'looking for lost markers failed', { error: messageOf(error) })
      })
  }

  #open(): Parts {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    return this.#parts
  }
}

/** How a run ended must not change (P5), not even if the power fails right after somebody has been told. */
async function flushEnd(run: StoredRun): Promise<void> {
  if (run.machine !== undefined && isTerminal(run.machine.state.status)) await run.flush()
}

function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}
