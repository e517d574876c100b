/**
 * What of a run's journal is still to be published, for runs that are marked so.
 *
 * It is no message: it is there from the first event on, and over when the run has ended and all of its events were
 * published. Until then it keeps the run from being removed. How far that has come is in no event.
 */
import type { RunEvent } from './event.ts'
import type { RunState } from './run-state.ts'

export interface Publication {
  /** Every event up to this one has been published. */
  publishedSeq: number
  /** When to remind of what was not published; absent while there is nothing, or nobody has said yet. */
  remindAtMs: number | undefined
  /** By then nobody who could publish it has come by. */
  unheededAtMs: number
  dispatch: number
  /** The newest events that were not published, without gaps, so that nobody replays a whole journal for the last of it. */
  recent: RunEvent[]
}

/** More than this is read from the journal itself. */
const MOST_RECENT = 256

export function newPublication(): Publication {
  return { publishedSeq: 0, remindAtMs: undefined, unheededAtMs: 0, dispatch: 0, recent: [] }
}

/** Whether there are events that were not published. */
export function isBehind({ publication, seq }: Pick<RunState, 'publication' | 'seq'>): boolean {
  return publication !== undefined && publication.publishedSeq < seq
}

export function keepForPublishing({ recent }: Publication, event: RunEvent): void {
  recent.push(event)
  // Some at a time: to shift with each event would move all of them each time.
  if (recent.length >= 2 * MOST_RECENT) recent.splice(0, recent.length - MOST_RECENT)
}

/** Under this key it is noted that all events up to `seq` were published, and reminded of. */
export const PUBLISHED = 'journal'

export function publishedKey(seq: number): string {
  return `${PUBLISHED}:${seq}`
}

/** @returns up to which event the key says that all were published; undefined for another key */
function seqOfKey(key: string): number | undefined {
  return key.startsWith(`${PUBLISHED}:`) ? Number(key.slice(PUBLISHED.length + 1)) : undefined
}

/** Whether that is news. */
export function isPublishedNews({ publication, seq }: RunState, key: string): boolean {
  const upTo = seqOfKey(key)
  return publication !== undefined && upTo !== undefined && upTo > publication.publishedSeq && upTo <= seq
}

/** All events up to one were published. What was published before, or is not there, says nothing. */
export function notePublished(state: RunState, key: string): void {
  const { publication } = state
  const upTo = seqOfKey(key)
  if (publication === undefined || upTo === undefined || !isPublishedNews(state, key)) return
  publication.publishedSeq = upTo
  publication.dispatch = 0
  publication.recent = publication.recent.filter(({ seq }) => seq > upTo)
  if (!isBehind(state)) publication.remindAtMs = undefined
}

/** The events from one on, where all of them are at hand; they belong to the run. */
export function recentEvents({ publication, seq }: RunState, from: number): readonly RunEvent[] | undefined {
  if (from > seq) return []
  const [first] = publication?.recent ?? []
  return first === undefined || first.seq > from ? undefined : publication?.recent.slice(from - first.seq)
}

/** The first event that was not published: what `unpublished` means to a store. */
export function firstUnpublished({ publication, seq }: RunState): number {
  return (publication?.publishedSeq ?? seq) + 1
}
