/**
 * The steps by which commands get into the log of a run, as `scripts/transact.ts` takes them. What they say beside the
 * lines themselves is for those who do not read them: the note for lists, and whether an end may have come.
 */
import { applyCommand, type Command, noteOf } from '@baton/core/adapter'
import { flowName } from '../keys.ts'
import type { Draft } from './draft.ts'
import type { Step } from './script-line.ts'

export interface LogKeys {
  readonly log: string
  readonly blobs: string
}

/** What the writer knows of the log. */
interface Known {
  readonly position: number
  readonly stamp: string
}

interface Drafted {
  readonly draft: Draft
}

const NONE: readonly string[] = []

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

export interface CreateStepOptions {
  readonly keys: LogKeys
  /** The key under which the run stands as due. */
  readonly dueKey: string
  readonly redispatchMs: number
}

export function createStep(
  { keys, dueKey, redispatchMs }: CreateStepOptions,
  command: Extract<Command, { readonly type: 'create' }>,
  drafted: Drafted,
): Step {
  const { run } = command
  // What the note says is what the machine would: nothing has happened to the run yet.
  const preview = applyCommand(undefined, command, 0, { redispatchMs })
  const note = preview?.type === 'create' ? JSON.stringify(noteOf(preview.machine.state)) : ''
  const blobs = blobTexts([drafted])
  return {
    name: 'create',
    keys: [keys.log, blobs.length === 0 ? '' : keys.blobs, dueKey],
    words: `${run.startAtMs ?? 0} ${blobs.length / 2}`,
    texts: [flowName(run), note, ...blobs, drafted.draft.text],
  }
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
