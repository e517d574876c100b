/**
 * Runs in a folder: one append-only log per run, shared by all processes of a machine, and no server.
 *
 * Every change of a run is one command on one line (`stored-run.ts`), written without a lock (`shared-log.ts`). Reading
 * is folding. Beside the logs there are only hints: markers that say when to look at which run, and notes about runs
 * that have ended; both are made again from the logs when they are lost.
 */
import { BatonError, type IClock, type ILogger, isTerminal } from '@baton/core'
import {
  type ClaimRequest,
  type ClaimResult,
  type Command,
  type CommitResult,
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
  type IRunStore,
  type JournalOptions,
  type NewRun,
  type Notice,
  type NoticeResult,
  type PurgeOptions,
  pageOf,
  type RenewRequest,
  type RenewResult,
  RunCache,
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
  type WaitingList,
} from '@baton/core/adapter'
import { DueWheel } from './due-wheel.ts'
import { Enlisting } from './enlisting.ts'
import { isOfOneFile, messageOf, onDisk, storeFailure } from './failure.ts'
import { follow } from './journal.ts'
import { OpenFiles } from './open-files.ts'
import { checkRunStoreOptions, type FileDurability, type FileRunStoreOptions } from './options.ts'
import { recover } from './recovery.ts'
import { RedoLog } from './redo-log.ts'
import { purge, removeRun } from './retention.ts'
import { RunIndex } from './run-index.ts'
import { Runs } from './runs.ts'
import { openStoreFolder, type StoreFolder } from './store-folder.ts'
import type { StoredRun } from './stored-run.ts'
import { Sweep } from './sweep.ts'
import { Tombstones } from './tombstones.ts'
import { WaitingFolders } from './waiting-folders.ts'
import { WaitingNews } from './waiting-news.ts'

/** A redo log has to be gone before a tombstone that is put today. */
const REDO_MS = 60_000

export class FileRunStore implements IRunStore {
  readonly durability: FileDurability
  readonly #options: ReturnType<typeof checkRunStoreOptions>
  readonly #clock: IClock
  readonly #logger: ILogger
  readonly #folder: StoreFolder
  readonly #files: OpenFiles
  readonly #redo: RedoLog | undefined
  readonly #cache: RunCache<StoredRun>
  readonly #wheel: DueWheel
  readonly #tombstones: Tombstones
  readonly #runs: Runs
  readonly #index: RunIndex
  readonly #sweep: Sweep
  readonly #waiting: WaitingFolders
  readonly #news: WaitingNews
  readonly #enlisting: Enlisting
  readonly #closing = new AbortController()
  #repairedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: FileRunStoreOptions) {
    const checked = checkRunStoreOptions(options)
    const { clock, logger } = checked
    this.#options = checked
    this.#clock = clock
    this.#logger = logger
    this.#folder = openStoreFolder(checked.directory, checked.durability)
    this.durability = this.#folder.durability
    this.#cache = new RunCache({
      runs: checked.cachedRuns,
      bytes: checked.cachedBytes,
      // A log that was removed is found missing when it is read.
      ageMs: Number.POSITIVE_INFINITY,
      now: () => performance.now(),
    })
    const { paths, folders } = this.#folder
    this.#files = new OpenFiles(checked.openFiles)
    const settleRedo = (begunUntilMs: number) => this.#recover(begunUntilMs)
    this.#tombstones = new Tombstones({ paths, lifeMs: checked.tombstoneMs, settleRedo })
    this.#recover()
    this.#redo =
      this.durability === 'power'
        ? new RedoLog({
            paths,
            folders,
            logger,
            limitBytes: checked.redoMaxBytes,
            limitMs: Math.min(REDO_MS, checked.tombstoneMs / 2),
          })
        : undefined
    const wheel = new DueWheel(paths)
    this.#wheel = wheel
    this.#runs = new Runs({
      ...checked,
      paths,
      folders,
      files: this.#files,
      fsynced: this.durability === 'power',
      redo: this.#redo,
      cache: this.#cache,
      wheel,
      index: () => this.#index,
      tombstones: this.#tombstones,
    })
    const openSound = (runId: RunId) => this.#openSound(runId)
    this.#index = new RunIndex({ paths, folders, files: this.#files, open: openSound })
    this.#waiting = new WaitingFolders({ paths, open: openSound })
    this.#news = new WaitingNews({ paths, clock, pollMs: checked.pollMs })
    this.#enlisting = new Enlisting({ runs: this.#runs, folders: this.#waiting, news: this.#news, clock })
    const open = (runId: RunId) => this.#runs.open(runId)
    const finish = (run: StoredRun) => this.#runs.finish(run)
    this.#sweep = new Sweep({
      paths,
      wheel,
      waiting: this.#waiting,
      index: this.#index,
      logger,
      open,
      openSound,
      finish,
    })
  }

  async create(run: NewRun, first?: FirstClaim): Promise<CreateResult> {
    this.#assertOpen()
    const { runId } = run
    const command: Command = { type: 'create', run, ...(first === undefined ? {} : { first }) }
    if (
      this.#tombstones.isThere(runId) &&
      (await this.#tombstones.keeps(runId, this.#clock.now(), this.#folder.folders))
    )
      return { status: 'purged' }
    let answer = await this.#runs.change(runId, command)
    if (answer === undefined) {
      // What this process knew of it was the run that was purged, and it may have noted that one's end once more.
      this.#index.forget(runId)
      answer = await this.#runs.change(runId, command)
    }
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    if (this.#isPurged(runId)) {
      // It was purged while we looked, and we may have brought it back.
      if (answer?.type === 'create' && answer.result.status === 'created') removeRun(this.#folder.paths, runId)
      this.#cache.drop(runId)
      return { status: 'purged' }
    }
    if (answer?.type === 'create') return copyOf(answer.result)
    throw new BatonError('STORE_UNAVAILABLE', { runId, message: `the log of ${runId} was removed while it was made` })
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    this.#assertOpen()
    const answer = await this.#runs.change(request.runId, { type: 'claim', request })
    return answer?.type === 'claim' ? answer.result : { status: 'unknown-run' }
  }

  async commit(transition: Transition): Promise<CommitResult> {
    this.#assertOpen()
    const answer = await this.#runs.change(transition.runId, { type: 'commit', transition })
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    return answer?.type === 'commit' ? answer.result : { status: 'unknown-run' }
  }

  async notify(notice: Notice): Promise<NoticeResult> {
    this.#assertOpen()
    const answer = await this.#runs.change(notice.runId, { type: 'notify', notice })
    if (answer?.type === 'too-large') {
      throw new BatonError('TOO_LARGE', { field: 'notice', message: `at most ${answer.limitBytes} bytes` })
    }
    return answer?.type === 'notify' ? answer.result : { status: 'unknown-run' }
  }

  async renew(request: RenewRequest): Promise<RenewResult> {
    this.#assertOpen()
    const answer = await this.#runs.change(request.runId, { type: 'renew', request })
    if (answer?.type === 'renew') return answer.result
    const lost = request.claims.map(({ instanceId }) => instanceId)
    return { run: { status: 'cancelled', stopping: true, seq: 0 }, lost, cancelled: [] }
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

  async *journal(runId: RunId, { from = 1, live = false, signal }: JournalOptions = {}): AsyncGenerator<RunEvent> {
    this.#assertOpen()
    const run = this.#runs.open(runId)
    if (run === undefined) throw unknownRun(runId)
    yield* follow({
      run,
      replay: this.#runs.handle(runId),
      from,
      live,
      // One of its own for each follower: listeners of thousands would pile up on ours.
      signal: AbortSignal.any(signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]),
      clock: this.#clock,
      pollMs: this.#options.pollMs,
    })
  }

  async list(query: RunQuery = {}): Promise<RunPage> {
    this.#assertOpen()
    const notes = [...(await this.#index.scan()).values()]
    // A page is chosen by what a note has; only its own runs are then read whole.
    const page = pageOf(notes as readonly unknown[] as readonly RunSummary[], query)
    const stored = page.runs.flatMap(({ runId }) => this.#openSound(runId) ?? [])
    const runs = stored.flatMap(({ machine }) => (machine === undefined ? [] : copyOf(summaryOf(machine.state))))
    await Promise.all(stored.map(flushEnd))
    return { ...page, runs }
  }

  async due(query: DueQuery): Promise<readonly DueItem[]> {
    this.#assertOpen()
    this.#repairNowAndThen()
    try {
      const from = query.enlisted === true && query.runId === undefined ? this.#waiting : this.#sweep
      return await from.due(query, this.#clock.now())
    } catch (error) {
      throw storeFailure(error, 'looking for what is due')
    }
  }

  async redispatch(items: readonly DueItem[]): Promise<void> {
    this.#assertOpen()
    const { redispatchMs, redispatchMaxMs } = this.#options
    const byRun = new Map<RunId, { readonly instances: string[]; readonly messages: string[] }>()
    for (const item of items) {
      const ofRun = byRun.get(item.runId) ?? { instances: [], messages: [] }
      byRun.set(item.runId, ofRun)
      if (item.type === 'instance') ofRun.instances.push(item.instanceId)
      else if (item.type === 'message') ofRun.messages.push(item.message.key)
    }
    for (const [runId, ofRun] of byRun) {
      await this.#runs.change(runId, { type: 'redispatch', runId, ...ofRun, redispatchMs, redispatchMaxMs })
    }
  }

  async enlist(request: EnlistRequest): Promise<EnlistResult> {
    this.#assertOpen()
    return this.#enlisting.enlist(request)
  }

  async waitingLists(): Promise<readonly WaitingList[]> {
    this.#assertOpen()
    return this.#enlisting.tallies()
  }

  onEnlisted(flows: readonly DueFlow[], wake: () => void): () => void {
    this.#assertOpen()
    return this.#enlisting.listen(flows, wake)
  }

  async delivered(runId: RunId, keys: readonly string[]): Promise<void> {
    this.#assertOpen()
    await this.#runs.change(runId, { type: 'delivered', runId, keys })
  }

  async purge(options: PurgeOptions): Promise<number> {
    this.#assertOpen()
    checkPurgeOptions(options)
    const { paths, folders } = this.#folder
    const forget = (runId: RunId) => {
      this.#cache.drop(runId)
      this.#files.forget(paths.run(runId).log)
    }
    const places = { paths, folders, index: this.#index, tombstones: this.#tombstones, forget }
    try {
      return await purge(places, options, this.#clock.now())
    } catch (error) {
      throw storeFailure(error, 'removing runs')
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#runs.settled()
    await this.#redo?.close()
    this.#cache.clear()
    this.#wheel.close()
    this.#waiting.close()
    this.#news.close()
    this.#files.close()
  }

  async #read(runId: RunId): Promise<RunState | undefined> {
    this.#assertOpen()
    const run = this.#runs.open(runId)
    const state = run?.machine?.state
    if (run !== undefined) await flushEnd(run)
    return state
  }

  /** @param begunUntilMs redo logs begun until then are settled too, whosever they are */
  #recover(begunUntilMs?: number): void {
    const { paths } = this.#folder
    const isPurged = (runName: string, begunAtMs: number) =>
      this.#tombstones.covers(runName, begunAtMs, this.#clock.now())
    onDisk(`recovering ${paths.root}`, () => recover({ paths, logger: this.#logger, isPurged, begunUntilMs }))
  }

  /** For those who look at all runs: a damaged one is reported and left out. */
  #openSound(runId: RunId): StoredRun | undefined {
    try {
      return this.#runs.open(runId)
    } catch (error) {
      if (!isOfOneFile(error)) throw error
      this.#logger.log('error', 'a run is damaged and was left out', { runId, error: messageOf(error) })
      return undefined
    }
  }

  /** Hangs on to the sweeps, so that no timer has to. The first one comes with the first sweep. */
  #repairNowAndThen(): void {
    const nowMs = this.#clock.now()
    if (nowMs - this.#repairedAtMs < this.#options.repairMs) return
    this.#repairedAtMs = nowMs
    this.#sweep
      .repair(() => this.#clock.now(), this.#closing.signal)
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#logger.log('warn', 'looking for lost markers failed', { error: messageOf(error) })
      })
  }

  #isPurged(runId: RunId): boolean {
    return this.#tombstones.has(runId, this.#clock.now())
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
  }
}

/** How a run ended must not change (P5), not even if the power fails right after somebody has been told. */
async function flushEnd(run: StoredRun): Promise<void> {
  if (run.machine !== undefined && isTerminal(run.machine.state.status)) await run.flush()
}

function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}
