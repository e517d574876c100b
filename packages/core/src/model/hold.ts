/** What an operator's pause means: nothing of the run may be claimed until it is lifted, or the run is stopped. */
import { gateOf } from './gate.ts'
import { isSettled, type PauseCode } from './run.ts'
import type { RunState } from './run-state.ts'

/** The first pause stands; what is claimed goes on, and may record what happened. */
export function hold(state: RunState, { reason, by, code }: HoldOrder, atMs: number): void {
  const before = state.status === 'pending' ? 'pending' : 'running'
  const who = { ...(by === undefined ? {} : { by }), ...(code === undefined ? {} : { code }) }
  state.held = { reason, ...who, sinceMs: atMs, before }
  state.status = 'paused'
}

interface HoldOrder {
  readonly reason: string
  readonly by?: string
  readonly code?: PauseCode
}

/** Lifted, or overtaken by a stop: whether the run then waits for the outside is for others to say. */
export function letGo(state: RunState): void {
  if (state.held === undefined) return
  if (state.status === 'paused') state.status = state.held.before
  state.held = undefined
  findAgain(state)
}

/** Nothing of it may be claimed, whatever is due: it is paused, or waits at a gate with what it took over from another. */
export function isHeldBack(state: RunState): boolean {
  return state.held !== undefined || gateOf(state) !== undefined
}

/** What became due while it was held back was in nobody's index. */
export function findAgain(state: RunState): void {
  for (const { status, dueAtMs } of state.instances.values()) {
    if (status !== 'waiting' && !isSettled(status) && dueAtMs < state.newDueAtMs) state.newDueAtMs = dueAtMs
  }
}
