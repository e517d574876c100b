/**
 * Brings news to a run that may not have been made yet: its start may lie with the one that has the news, or with the run
 * before that one. News is never given up for as long as that is so.
 */
import type { RunId } from '../model/ids.ts'
import type { RunSummary } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { Notice } from '../ports/notice.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Round } from './courier-round.ts'
import { findStart } from './find-start.ts'

/** Which message brings the news. */
export interface Posted {
  readonly from: RunId
  readonly key: string
}

/** @returns whether the run has heard it, or there is none; not so where it may still be made */
export async function reach(round: Round, posted: Posted, notice: Notice): Promise<boolean> {
  const { onStop } = round.options
  let told = await round.tell(notice)
  if (told === undefined) {
    if (await mayBeOnItsWay(round, posted, notice.runId)) return false
    // Between the two looks somebody may have brought its start.
    told = await round.tell(notice)
  }
  if (notice.type === 'cancel' && told !== undefined) onStop?.(told)
  return true
}

/**
 * Calls a child off. A run of that id may be another one's child, or nobody's: whose it is never changes, so that who has
 * looked may tell.
 *
 * @returns whether it has heard it, or there is none; not so where it may still be made
 */
export async function callOff(round: Round, posted: Posted, to: RunId, reason: string): Promise<boolean> {
  const { store, onStop } = round.options
  const { from: parent } = posted
  let child = await store.summary(to)
  if (child === undefined || !(await isChildOf(store, parent, child))) {
    if (await mayBeOnItsWay(round, posted, to)) return false
    // Between the two looks somebody may have brought its start.
    child ??= await store.summary(to)
    if (child === undefined || !(await isChildOf(store, parent, child))) return true
  }
  const told = await round.tell({ type: 'cancel', runId: to, reason })
  if (told !== undefined) onStop?.(told)
  return true
}

async function isChildOf(store: IRunStore, parent: RunId, { lineage: { parentRunId } }: RunSummary): Promise<boolean> {
  if (parentRunId === parent) return true
  const summary = await store.summary(parent)
  return summary !== undefined && parentRunId === lastingIdOf(summary)
}

/**
 * Whether somebody else may be about to bring its start, which may lie with the run before this one. A start that was
 * posted after the news is not waited for: it is brought after it, and would wait for the news in turn.
 */
async function mayBeOnItsWay(round: Round, { from, key }: Posted, to: RunId): Promise<boolean> {
  const { store } = round.options
  const before = (await store.summary(from))?.lineage.succession?.previousRunId
  const places = [{ sender: from, until: key }, ...(before === undefined ? [] : [{ sender: before }])]
  for (const { sender, until } of places) {
    const found = await findStart(store, sender, to, until)
    // Where there is more than was looked through, it may be among that: the next reminder will tell.
    if (found === 'unseen') return true
    if (found !== undefined && !round.hasTaken(sender, found.item.message.key)) return true
  }
  return false
}
