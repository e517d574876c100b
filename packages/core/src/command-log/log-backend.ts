/**
 * What a backend does for a store whose runs are logs of their commands (`log-store.ts`): it keeps lines in one order,
 * and the indexes by which runs are found. It has no rule of a run in it.
 *
 * A line is text that means nothing to the backend. It stamps each with its time, and gives it back as the time in
 * milliseconds, `|`, and the text. A call throws `STORE_UNAVAILABLE` where nobody knows whether it took effect; the same
 * call again is safe.
 */
import type { RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import type { DueFlow, Durability } from '../ports/run-store.ts'
import type { Draft } from './draft.ts'

export interface LogBackend {
  readonly durability: Durability
  /** The time by which lines are stamped, as well as it is known here. */
  readonly clock: { now(): number }
  /** SHA-256 in hexadecimal digits. */
  sha256(text: string): string

  /** The log of one run. Asks nothing: it is made for every run that is opened. */
  log(runId: RunId): RunLog

  /** What is noted about a run beside its log; undefined where it is not there. */
  note(runId: RunId): Promise<string | undefined>
  listed(query: ListedQuery): Promise<Listed>

  /** Where to look for what is due: each of them gives runs, and they are asked side by side. */
  due(query: MarkedQuery): Promise<readonly MarkedRuns[]>
  /** Runs that have ended and have nothing more to say, those that ended first coming first. */
  ended(): readonly MarkedRuns[]

  /** Puts a run on the waiting list of its flow. */
  enlist(runId: RunId, flow: DueFlow): Promise<void>
  /** Takes it from there, if its log still ends where the caller knows it to end. */
  delist(runId: RunId, flow: DueFlow, known: Known): Promise<void>
  /** What stands on these lists, or on all that there have been. One list may be told in several parts. */
  waiting(flows?: readonly DueFlow[]): Promise<readonly Waiting[]>
  /** Tells workers that something waits for them. A hint. */
  tellWaiting(flow: DueFlow): void

  /** Calls back when the log of a run has grown: with the number of its lines, or without where that is not known. @returns how to end it */
  watchLog(runId: RunId, wake: Wake): () => void
  /** The same for those who only want to know of its end. */
  watchEnd(runId: RunId, wake: Wake): () => void
  /** Calls back when something was put on one of these lists, as far as that can be known without asking. */
  watchWaiting(flows: readonly DueFlow[], wake: () => void): () => void

  /** Resolves when everything that was sent before is answered. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** How the log of a run is reached. A class, as what is made with every run should be: `logged-run.ts` says why. */
export interface RunLog {
  readonly runId: RunId
  /** How people find it in the backend. */
  readonly name: string

  /** Makes the log with its first line, the marks of a run that starts, and its note. `MADE`, `PURGED`, or how the log that is there begins. */
  create(creation: Creation): Promise<LogAnswer>
  /**
   * Appends lines, all of them and one behind the other, wherever the log ends by now, and makes sure that a mark leads to the
   * run within `redispatchMs`. Gives what stands between what the caller knows and its own lines, from the beginning of that,
   * whole or not. `NO_LOG`, `REWOUND`, or how many lines there are, its own included.
   */
  append(known: Known, lines: readonly Drafted[]): Promise<LogAnswer>
  /** Gives up to `most` lines from those on that the caller knows, or fewer. `NO_LOG`, `REWOUND`, or how many lines there are. */
  read(known: Known, most: number): Promise<LogAnswer>
  /** Large values, by their digests; null for what is not there. */
  values(digests: readonly string[]): Promise<readonly (string | null)[]>
  /** Puts the marks of a run where they belong, if its log still ends where the caller knows it to end. @returns whether it did */
  mark(known: Known, move: MarkMove): Promise<boolean>
  /** Removes a run with everything that is its, if its log still has so many lines, and keeps its id from use. @returns whether it did */
  purge(lines: number, tombstoneMs: number): Promise<boolean>
}

/** What the caller knows of a log. */
export interface Known {
  readonly position: number
  /** The time of the line before that position, as it stands there; '' where that is 0. A line with another time is of another history. */
  readonly stamp: string
}

export interface Drafted {
  readonly draft: Draft
}

export interface Creation extends Drafted {
  readonly run: NewRun
  /** How long after its time something of it may be claimed: 0, unless its first claim comes with it. */
  readonly dueInMs: number
  /** With 0 in the place of the time of its creation, which is that of its line: `createdAt` puts it there. */
  readonly note: string
}

export interface LogAnswer {
  /** The backend's time. Own lines have it as their stamp. */
  readonly nowMs: number
  readonly count: number
  readonly lines: readonly string[]
}

/** In the place of a number of lines. */
export const NO_LOG = 0
/** The run was removed, and its id is kept from use. */
export const PURGED = -1
/** The log does not begin as the caller knows it: the server has lost lines. Nothing was written. */
export const REWOUND = -2
export const MADE = -3

/**
 * Marks are instants at which others have to look at a run. Undefined leaves one as it is; infinity takes it away; with `earlier` one
 * that is earlier already stays.
 */
export interface MarkMove {
  readonly flow: DueFlow
  /** When something of it may be claimed. */
  readonly dueMs?: number
  /** When the sweep has to look at it. */
  readonly remindMs?: number
  readonly earlier: boolean
  /** Where both stand after this, for a backend that cannot move one without the other; undefined where that is not known. */
  readonly stands: Stands | undefined
  /** Since when it is over, with nothing more to say. */
  readonly endedMs?: number
  readonly hasLetters: boolean
  readonly createdMs: number
  readonly note?: string
  /** Those who wait for the end of the run shall look. */
  readonly isOver: boolean
  /** Somebody waits for the answer; else it may go with the next call that comes. */
  readonly isAwaited: boolean
}

export interface Stands {
  readonly dueMs: number
  readonly remindMs: number
}

export interface MarkedQuery {
  /** Only what the sweep has to look at: by those marks, and not by what may be claimed. */
  readonly unsentOnly: boolean
  readonly flows: readonly DueFlow[] | undefined
}

/** Runs with a mark, the earliest first, page by page. */
export interface MarkedRuns {
  /**
   * @param untilMs marks behind this instant do not count
   * @param stayed how many of those that were given before still have theirs
   */
  next(untilMs: number, stayed: number, most: number): Promise<MarkedPage>
  /** Takes away the mark of a run that is not there. @returns whether it is gone */
  strike(runId: RunId): Promise<boolean>
}

export interface MarkedPage {
  readonly runIds: readonly RunId[]
  readonly isLast: boolean
}

export interface ListedQuery {
  /** Only runs with dead letters. */
  readonly letters: boolean
  /** Created between two instants. */
  readonly fromMs: number
  readonly untilMs: number
  /** About how many are wanted. */
  readonly count: number
}

/** Notes of runs, in any order: all of those that were created after an instant, and maybe others. */
export interface Listed {
  readonly notes: readonly string[]
  /** Minus infinity where that is all there are. */
  readonly allAfterMs: number
}

export interface Waiting {
  readonly list: DueFlow
  readonly runIds: readonly RunId[]
}

export type Wake = (lines?: number) => void
