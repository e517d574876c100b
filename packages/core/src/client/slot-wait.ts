import type { PendingSlot } from '../model/gate.ts'
import type { RunId } from '../model/ids.ts'
import type { LimiterView } from '../model/limiter.ts'
import type { IRunStore } from '../ports/run-store.ts'

/** The limit that keeps a run from beginning, and its place in the line. */
export interface SlotWait extends PendingSlot {
  /** How many will be let in before it, as things stand. */
  readonly ahead: number
  /** How many have a slot; of a rate, none. */
  readonly held: number
}

/** @returns undefined for a run that waits for no slot */
export async function slotWaitOf(store: IRunStore, runId: RunId): Promise<SlotWait | undefined> {
  const slot = (await store.summary(runId))?.pendingSlot
  if (slot === undefined) return undefined
  const limiter = await limiterNow(store, slot.limiter)
  const waiting = limiter?.waiting ?? []
  const place = waiting.findIndex((waiter) => waiter.runId === runId)
  // Its request may be on its way.
  return { ...slot, ahead: place === -1 ? waiting.length : place, held: limiter?.held.length ?? 0 }
}

async function limiterNow(store: IRunStore, first: RunId): Promise<LimiterView | undefined> {
  let view: LimiterView | undefined
  for (let runId: RunId | undefined = first; runId !== undefined; runId = view?.movedTo) {
    const next: LimiterView | undefined = (await store.load(runId))?.limiter
    // It has just moved, and who comes next is not made yet.
    if (next === undefined) return view
    view = next
  }
  return view
}
