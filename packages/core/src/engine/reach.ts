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

/** @returns whether the run has heard it, or there is none; not so where it may still be made */
export async function reach(round: Round, from: RunId, notice: Notice): Promise<boolean> {
  const { onStop } = round.options
  let told = await round.tell(notice)
  if (told === undefined) {
    if (await mayBeOnItsWay(round, from, notice.runId)) return false
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
export async function callOff(round: Round, parent: RunId, to: RunId, reason: string): Promise<boolean> {
  const { store, onStop } = round.options
  let child = await store.summary(to)
  if (child === undefined || !(await isChildOf(store, parent, child))) {
    if (await mayBeOnItsWay(round, parent, to)) return false
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

/** Whether somebody else may be about to bring its start, which may lie with the run before this one. */
async function mayBeOnItsWay(round: Round, from: RunId, to: RunId): Promise<boolean> {
  const { store } = round.options
  const before = (await store.summary(from))?.lineage.succession?.previousRunId
  for (const sender of before === undefined ? [from] : [from, before]) {
    const found = await findStart(store, sender, to)
    // Where there is more than was looked through, it may be among that: the next reminder will tell.
    if (found === 'unseen') return true
    if (found !== undefined && !round.hasTaken(sender, found.item.message.key)) return true
  }
  return false
}
