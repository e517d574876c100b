/**
 * The steps by which the log of a run is written, as `scripts/transact.ts` takes them. What they say beside the lines
 * themselves is for those who do not read them: the note for lists, and whether an end may have come.
 */
import { type Creation, type Drafted, flowName, type Known, type MarkMove } from '@baton/core/adapter'
import type { Step } from './script-line.ts'

export interface LogKeys {
  readonly log: string
  readonly blobs: string
}

const NONE: readonly string[] = []
/** Marks as the script takes them; others are an instant, or '<' and an instant. */
const STAYS = '.'
const GOES = '-'

export function appendStep(keys: LogKeys, known: Known, batch: readonly Drafted[]): Step {
  const blobs = blobTexts(batch)
  const texts = batch.map(({ draft }) => draft.text)
  return {
    name: 'append',
    keys: [keys.log, blobs.length === 0 ? '' : keys.blobs],
    words: `${known.position} ${known.stamp || '-'} ${blobs.length / 2} ${batch.some(mayEnd) ? 1 : 0}`,
    texts: blobs.length === 0 ? texts : [...blobs, ...texts],
  }
}

/** @param dueKey the key under which the run stands as due */
export function createStep(keys: LogKeys, dueKey: string, creation: Creation): Step {
  const { run, note, dueInMs, draft } = creation
  const blobs = blobTexts([creation])
  return {
    name: 'create',
    keys: [keys.log, blobs.length === 0 ? '' : keys.blobs, dueKey],
    words: `${run.startAtMs ?? 0} ${dueInMs} ${blobs.length / 2}`,
    texts: [flowName(run), note, ...blobs, draft.text],
  }
}

export function markStep(keys: LogKeys, dueKey: string, { position, stamp }: Known, move: MarkMove): Step {
  const { dueMs, remindMs, earlier, endedMs = STAYS, createdMs, hasLetters, note, isOver } = move
  const letters = hasLetters ? createdMs : note === undefined ? STAYS : GOES
  const marks = `${mark(dueMs, earlier)} ${mark(remindMs, earlier)} ${endedMs} ${letters}`
  return {
    name: 'index',
    keys: [keys.log, dueKey],
    words: `${position} ${stamp} ${marks} ${isOver ? 1 : 0}`,
    texts: note === undefined ? NONE : [note],
  }
}

export function purgeStep(keys: LogKeys, lines: number, tombstoneMs: number): Step {
  return { name: 'purge', keys: [keys.log, keys.blobs], words: `${lines} ${tombstoneMs}`, texts: NONE }
}

function mark(atMs: number | undefined, earlier: boolean): string {
  if (atMs === undefined) return STAYS
  if (atMs === Number.POSITIVE_INFINITY) return GOES
  return earlier ? `<${atMs}` : String(atMs)
}

/** Whether those who wait for the end of the run shall look. That they look in vain costs a read. */
function mayEnd({ draft: { command } }: Drafted): boolean {
  if (command.type === 'notify') return true
  if (command.type !== 'commit') return false
  const { outcome } = command.transition
  if (outcome.type === 'succeeded') return outcome.arrivals.length === 0
  return outcome.type === 'failed' || outcome.type === 'skipped' || outcome.type === 'cancelled'
}

/** Large values as the script takes them: digest, value. */
function blobTexts(batch: readonly Drafted[]): readonly string[] {
  if (batch.every(({ draft }) => draft.blobs.length === 0)) return NONE
  const texts: string[] = []
  for (const { draft } of batch) for (const { sha256, text } of draft.blobs) texts.push(sha256, text)
  return texts
}
