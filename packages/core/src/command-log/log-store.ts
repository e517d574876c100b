/**
 * A run store on top of any backend that keeps lines in one order. A run is the list of its commands; whoever has read the
 * list has the run, and the machine says what each command does (`logged-run.ts`). Beside the lists stand indexes of what
 * is due, what has ended and what there is. What differs between backends is in `LogBackend` alone.
 */
import { storedContext } from '../context/stored-context.ts'
import type { Command } from '../machine/command.ts'
import type { Answer } from '../machine/own-answer.ts'
import { tallyOf } from '../machine/tally.ts'
import { copyOf } from '../model/copy.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { messageOf } from '../model/message-of.ts'
import { firstUnpublished, recentEvents } from '../model/publication.ts'
import type { NewRun, RunRecord, RunSummary } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { type RunState, summaryOf } from '../model/run-state.ts'
import type { ContextSource } from '../ports/async-context.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import {
  type CreateResult,
  checkPurgeOptions,
  type DueFlow,
  type DueItem,
  type DueQuery,
  type Durability,
  type IRunStore,
  type JournalOptions,
  type PurgeOptions,
  type RunPage,
  type RunQuery,
} from '../ports/run-store.ts'
import type { FirstClaim } from '../ports/transition.ts'
import type { EnlistRequest, EnlistResult, WaitingList } from '../ports/waiting-lists.ts'
import { CommandStore, redispatchCommands } from './command-store.ts'
import type { TooLarge } from './draft.ts'
import { FindingDue } from './finding-due.ts'
import { follow } from './follow-journal.ts'
import { listNotes } from './list-notes.ts'
import type { LogBackend } from './log-backend.ts'
import type { LogStoreOptions } from './log-store-options.ts'
import type { LoggedRun } from './logged-run.ts'
import { purge } from './retention.ts'
import { Runs } from './runs.ts'
import { parseNote } from './stored-note.ts'
import { AT_ONCE, Turns } from './turns.ts'
import { untilEnd, type Watch } from './until-end.ts'

export interface LogStoreSettings extends Required<LogStoreOptions> {
  /** The longest line that stands in the log itself; one that is longer stands apart, as a value does. */
  readonly lineInlineMaxBytes: number
  /** The most characters of lines that are appended at once; a line that is longer goes alone. */
  readonly batchChars: number
  /** How long marks that are too early may stay where they are: long where each move is billed. */
  readonly soonMs: number
}

/** What a store has once its backend is open. */
interface Parts {
  readonly backend: LogBackend
  readonly runs: Runs
  readonly due: FindingDue
}

/** What a process knows of a run is forgotten after this long without use. */
const CACHE_MS = 3_600_000

export abstract class LogStore extends CommandStore implements IRunStore {
  readonly #settings: LogStoreSettings
  readonly #openBackend: () => Promise<LogBackend>
  readonly #closing = new AbortController()
  /** Those who wait for the end of a run. */
  readonly #waiting = new Set<() => void>()
  #parts: Promise<Parts> | undefined
  /** The same, once they are there: what is asked for with every node does not wait for what is known. */
  #opened: Parts | undefined
  #durability: Durability = 'process'

  /** @param openBackend called with the first call of the store, and again with the next after it has failed */
  constructor(settings: LogStoreSettings, openBackend: () => Promise<LogBackend>) {
    super()
    this.#settings = settings
    this.#openBackend = openBackend
  }

  /** Opens the backend now, to learn of a mistake at once. Closes the store where that fails. */
  protected async opened(): Promise<this> {
    try {
      await this.#open()
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** What the backend says that it keeps: known when the store is connected. */
  get durability(): Durability {
    return this.#durability
  }

  async create(run: NewRun, first?: FirstClaim): Promise<CreateResult> {
    const command: Command = first === undefined ? { type: 'create', run } : { type: 'create', run, first }
    const answer = await this.change(run.runId, command)
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    if (answer?.type === 'create') return answer.result
    throw new BatonError('STORE_UNAVAILABLE', {
      runId: run.runId,
      message: `${run.runId} was removed while it was made`,
    })
  }

  async notify(notice: Notice): Promise<NoticeResult> {
    const answer = await this.change(notice.runId, { type: 'notify', notice })
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    return answer?.type === 'notify' ? answer.result : { status: 'unknown-run' }
  }

  async load(runId: RunId): Promise<RunRecord | undefined> {
    const state = await this.#read(runId)
    return state === undefined ? undefined : copyOf(recordOf(state))
  }

  async summary(runId: RunId): Promise<RunSummary | undefined> {
    parseRunId(runId)
    const { runs, backend } = await this.#open()
    // How a run has ended is noted: nobody has to read the whole of it for that.
    if (runs.known(runId) === undefined) {
      const summary = parseNote(await backend.note(runId))?.summary
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

  async *journal(runId: RunId, options: JournalOptions = {}): AsyncGenerator<RunEvent> {
    const { live = false, unpublished, signal } = options
    parseRunId(runId)
    const { runs, backend } = await this.#open()
    const run = await runs.open(runId)
    if (run?.machine === undefined) throw unknownRun(runId)
    const { state } = run.machine
    const from = unpublished === true ? firstUnpublished(state) : (options.from ?? 1)
    // What was just read is still at hand: the log need not be replayed from its beginning.
    const recent = live ? undefined : recentEvents(state, from)
    if (recent !== undefined) return yield* copyOf(recent)
    const isAll = yield* follow({
      run,
      replay: () => runs.handle(runId),
      from,
      live,
      signal: AbortSignal.any(signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]),
      watch: (wake) => backend.watchLog(runId, wake),
    })
    // Whoever reads it must not take it for a run that has said nothing more.
    if (!isAll && this.#closing.signal.aborted && signal?.aborted !== true) throw new BatonError('CLOSED')
  }

  async untilEnd(runId: RunId, signal?: AbortSignal): Promise<RunSummary | undefined> {
    parseRunId(runId)
    const { runs, backend } = await this.#open()
    // What is known will do until the end is told of, or nobody can tell.
    const run = runs.known(runId) ?? (await runs.open(runId))
    if (run?.machine === undefined) throw unknownRun(runId)
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    const watch: Watch = (wake) => backend.watchEnd(runId, wake)
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
    await this.#settle(parts)
    const { notes, cursor } = await listNotes(parts.backend, query)
    const summaries = await Promise.all(notes.map((note) => note.summary ?? this.#summaryIfSound(note.runId)))
    const runs = summaries.flatMap((summary) => summary ?? [])
    return cursor === undefined ? { runs } : { runs, cursor }
  }

  async due(query: DueQuery): Promise<readonly DueItem[]> {
    const parts = await this.#open()
    await this.#settle(parts)
    return parts.due.due(query)
  }

  async redispatch(items: readonly DueItem[]): Promise<void> {
    const commands = redispatchCommands(items, this.#settings)
    // Each has the move of a mark on its heels.
    const turns = new Turns(AT_ONCE / 2)
    await Promise.all(commands.map((command) => turns.take(async () => this.change(command.runId, command))))
  }

  async enlist({ runId, instanceId }: EnlistRequest): Promise<EnlistResult> {
    parseRunId(runId)
    const { runs, backend } = await this.#open()
    const run = await runs.open(runId)
    const { head } = run?.machine?.state ?? {}
    if (run === undefined || head === undefined) return { status: 'unknown-run' }
    // Before the command, so that it is found whatever becomes of us; whoever finds it in vain takes it away.
    await backend.enlist(runId, head)
    const answer = await runs.change(runId, { type: 'enlist', runId, instanceId })
    if (answer?.type !== 'enlist') return { status: 'unknown-run' }
    if (answer.result.status === 'enlisted') {
      // Whoever found it before the command was written has taken it away as one that has left.
      await backend.enlist(runId, head)
      backend.tellWaiting(head)
    }
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
    let isOver = false
    let stop = () => {}
    this.#open().then(
      ({ backend }) => {
        if (!isOver) stop = backend.watchWaiting(flows, wake)
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
    await this.#settle(parts)
    const { tombstoneMs } = this.#settings
    const forget = (runId: RunId) => parts.runs.forget(runId)
    return purge({ backend: parts.backend, tombstoneMs, forget }, options)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#opened = undefined
    for (const stop of [...this.#waiting]) stop()
    const parts = await this.#parts?.catch(() => undefined)
    if (parts === undefined) return
    parts.runs.settle()
    await parts.backend.close()
    parts.runs.clear()
  }

  protected change(runId: RunId, command: Command): Awaitable<Answer | TooLarge | undefined> {
    parseRunId(runId)
    if (this.#opened !== undefined) return this.#opened.runs.change(runId, command)
    return this.#open().then(({ runs }) => runs.change(runId, command))
  }

  async #open(): Promise<Parts> {
    if (this.#closing.signal.aborted) throw new BatonError('CLOSED')
    this.#parts ??= this.#openBackend().then((backend) => this.#partsOf(backend))
    try {
      const parts = await this.#parts
      this.#durability = parts.backend.durability
      if (!this.#closing.signal.aborted) this.#opened = parts
      return parts
    } catch (error) {
      // The next call tries again.
      this.#parts = undefined
      throw error
    }
  }

  #partsOf(backend: LogBackend): Parts {
    const { logger, tombstoneMs } = this.#settings
    const runs = new Runs({
      ...this.#settings,
      backend,
      // What we know of a run must not outlive that its id is kept from use.
      cacheMs: Math.max(1, Math.min(CACHE_MS, tombstoneMs / 2)),
      onFailure: (message, runId, error) => logger.log('warn', message, { runId, error: messageOf(error) }),
    })
    const open = async (runId: RunId): Promise<LoggedRun | undefined> => {
      try {
        return await runs.open(runId)
      } catch (error) {
        if (!BatonError.is(error, 'STORE_CORRUPT')) throw error
        logger.log('error', 'a run is damaged and was left out of the sweep', { runId, error: error.message })
        return undefined
      }
    }
    const due = new FindingDue({ backend, logger, open, look: (run) => runs.look(run) })
    return { backend, runs, due }
  }

  /** Whoever looks at indexes sees what this process has done before. */
  async #settle({ runs, backend }: Parts): Promise<void> {
    runs.settle()
    await backend.settled()
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
      this.#settings.logger.log('error', 'a run is damaged and was left out', { runId, error: error.message })
      return undefined
    }
  }
}

function unknownRun(runId: RunId): BatonError {
  return new BatonError('UNKNOWN_RUN', { field: 'runId', message: `no run ${runId}`, runId })
}
