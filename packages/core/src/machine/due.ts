/** What time has made ready in a run. */
import { isHeldBack } from '../model/hold.ts'
import { limiterDueAtMs } from '../model/limiter.ts'
import { isBehind } from '../model/publication.ts'
import { isSettled, isTerminal } from '../model/run.ts'
import { type InstanceState, NEVER, type RunState } from '../model/run-state.ts'
import type { DueItem, DueQuery } from '../ports/run-store.ts'

export type DueFilter = Pick<DueQuery, 'unsentOnly' | 'flows' | 'enlisted' | 'runId' | 'journals'>

/** Whether its time has come: ready, asleep or awaiting long enough, or held under a lease that has ended. */
export function isClaimable(instance: InstanceState, atMs: number): boolean {
  if (instance.status === 'waiting' || isSettled(instance.status)) return false
  return instance.dueAtMs <= atMs
}

export function claimableAt(state: RunState, atMs: number): InstanceState[] {
  return [...state.instances.values()].filter((instance) => isClaimable(instance, atMs))
}

/** What may be claimed at the given instant, and the deadline if it has passed; oldest first. */
export function dueItems(
  state: RunState,
  atMs: number,
  { unsentOnly = false, flows, enlisted = false, runId, journals = false }: DueFilter,
): DueItem[] {
  const { head } = state
  const journalAtMs = journalDueAtMs(state, runId !== undefined && !unsentOnly ? 'at once' : journals ? 'soon' : 'late')
  if (journals) return journalAtMs <= atMs ? [{ type: 'journal', runId: head.runId, dueAtMs: journalAtMs }] : []
  const items: DueItem[] = []
  // Whoever asks for flows looks for work that it can do.
  if (flows === undefined && !enlisted) {
    for (const { message, dueAtMs, remindAtMs } of state.outbox?.values() ?? []) {
      if (dueAtMs > atMs) continue
      if (!unsentOnly || remindAtMs <= atMs) items.push({ type: 'message', runId: head.runId, message, dueAtMs })
    }
    if (journalAtMs <= atMs) items.push({ type: 'journal', runId: head.runId, dueAtMs: journalAtMs })
  }
  if (isTerminal(state.status)) return items
  if (state.limiter !== undefined) {
    const dueAtMs = limiterDueAtMs(state.limiter)
    if (dueAtMs <= atMs && flows === undefined && !enlisted) items.push({ type: 'slots', runId: head.runId, dueAtMs })
    return items
  }
  if (!enlisted && head.deadlineAtMs !== undefined && head.deadlineAtMs <= atMs && !state.stopping) {
    items.push({ type: 'deadline', runId: head.runId, dueAtMs: head.deadlineAtMs })
  }
  const isWanted =
    flows === undefined ||
    flows.some((flow) => flow.flowId === head.flowId && (head.version === undefined || flow.version === head.version))
  // What is paused by an operator costs no sweep anything.
  if (!isWanted || isHeldBack(state)) return items
  const wholeRun = runId !== undefined && !unsentOnly
  for (const instance of enlisted ? (state.enlisted ?? []) : state.instances.values()) {
    // What is on a waiting list is nobody else's, save for those who ask about this run.
    if ((instance.enlistedAtMs !== undefined) !== enlisted && !wholeRun) continue
    if (!isClaimable(instance, atMs) || (unsentOnly && (instance.remindAtMs ?? 0) > atMs)) continue
    // A stopping run starts nothing; its dead claims still have to be found, or it would never end.
    if (state.stopping && instance.status !== 'claimed') continue
    items.push({
      type: 'instance',
      runId: head.runId,
      flowId: head.flowId,
      ...(head.version === undefined ? {} : { version: head.version }),
      instanceId: instance.id,
      priority: head.priority,
      dueAtMs: instance.dueAtMs,
      dispatch: instance.dispatch,
    })
  }
  return items.sort((left, right) => left.dueAtMs - right.dueAtMs)
}

/**
 * When somebody should publish what was not. Who asks about the run is told at once. Of all runs, those that can publish are told
 * when it is to be reminded of; all others when nobody of those has come by, so that it does not stay before their eyes.
 */
function journalDueAtMs(state: RunState, when: 'at once' | 'soon' | 'late'): number {
  const { publication, updatedAtMs } = state
  if (publication?.remindAtMs === undefined || !isBehind(state)) return NEVER
  if (when === 'at once') return updatedAtMs
  return when === 'soon' ? publication.remindAtMs : publication.unheededAtMs
}

/** The earliest instant at which `dueItems` may have something to say; never when the run has ended. */
export function nextDueAtMs(state: RunState, { unsentOnly = false }: Pick<DueFilter, 'unsentOnly'> = {}): number {
  let next = NEVER
  const take = (dueAtMs: number, remindAtMs = 0) => {
    next = Math.min(next, unsentOnly ? Math.max(dueAtMs, remindAtMs) : dueAtMs)
  }
  for (const { dueAtMs, remindAtMs } of state.outbox?.values() ?? []) take(dueAtMs, remindAtMs)
  take(journalDueAtMs(state, 'soon'))
  if (isTerminal(state.status)) return next
  if (state.limiter !== undefined) return Math.min(next, limiterDueAtMs(state.limiter))
  if (!state.stopping) next = Math.min(next, state.head.deadlineAtMs ?? NEVER)
  if (isHeldBack(state)) return next
  for (const instance of state.instances.values()) {
    if (instance.status === 'waiting' || isSettled(instance.status)) continue
    if (state.stopping && instance.status !== 'claimed') continue
    if (instance.enlistedAtMs !== undefined) continue
    take(instance.dueAtMs, instance.remindAtMs)
  }
  return next
}
