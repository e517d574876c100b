/** What a run waits for, for people. */
import type { RunEvent } from '@baton/core'
import { type RunState, summaryOf } from '@baton/core/adapter'
import { duration } from './journal/duration.ts'

export interface RunWait {
  readonly kind: 'approval' | 'signal' | 'child' | 'sleep' | 'retry' | 'start' | 'slot'
  /** Of the approval, the signal or the child; the id of the limit; of the node, where time is all it waits for. */
  readonly name: string
  /** Undefined where the run has not begun. */
  readonly instanceId: string | undefined
  readonly sinceMs: number
  /** When it goes on by itself; undefined where it never will. */
  readonly untilMs: number | undefined
}

/** What each live instance that is not at work waits for. */
export function waitsOf(state: RunState, events: readonly RunEvent[], nowMs: number): readonly RunWait[] {
  const waits: RunWait[] = []
  const slot = summaryOf(state).pendingSlot
  if (slot !== undefined) {
    return [{ kind: 'slot', name: slot.limiter, instanceId: undefined, sinceMs: slot.sinceMs, untilMs: undefined }]
  }
  for (const { id, status, dueAtMs, parked } of state.instances.values()) {
    const last = events.findLast((event) => 'instanceId' in event && event.instanceId === id)
    const at = {
      instanceId: id,
      sinceMs: parked?.sinceMs ?? last?.atMs ?? nowMs,
      untilMs: Number.isFinite(dueAtMs) ? dueAtMs : undefined,
    }
    if (status === 'awaiting' && parked?.wait !== undefined) {
      waits.push({ kind: parked.wait.kind, name: parked.wait.name, ...at })
    } else if (status === 'sleeping' || (status === 'ready' && dueAtMs > nowMs)) {
      const kind = parked !== undefined ? 'sleep' : last?.type === 'attempt-failed' ? 'retry' : 'start'
      waits.push({ kind, name: id, ...at })
    }
  }
  return waits
}

/** `paused: waits for approval ask:refund since 2026-01-05T09:00:00.000Z`. */
export function tellWaits(status: string, waits: readonly RunWait[], nowMs: number): string {
  if (waits.length === 0) return status
  const told = waits.map(({ kind, name, sinceMs, untilMs }) => {
    const since = `since ${new Date(sinceMs).toISOString()} (${duration(nowMs - sinceMs)})`
    const until = untilMs === undefined ? '' : `, until ${new Date(untilMs).toISOString()}`
    return `for ${whats[kind]} ${name} ${since}${until}`
  })
  return `${status}: waits ${told.join('; ')}`
}

const whats: { readonly [Kind in RunWait['kind']]: string } = {
  approval: 'approval',
  signal: 'signal',
  child: 'child',
  sleep: 'the end of a sleep in',
  retry: 'the next attempt of',
  start: 'the start of',
  slot: 'a slot of',
}
