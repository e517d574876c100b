/**
 * Gates: what a run has to pass before its first node may start. At each gate it asks a limiter for a slot, and waits. The
 * slot is given back when the run has ended, however it ends.
 */
import type { RunId } from './ids.ts'
import { isTerminal } from './run.ts'
import type { RunState } from './run-state.ts'

/** One limit that a run is under. */
export interface Gate {
  /** The run that grants the slots. */
  readonly limiter: RunId
  /** Whose runs it limits. */
  readonly flowId: string
  /** How many runs may have a slot at the same time; with `perMs`, how many may be let in within that time. */
  readonly most: number
  readonly perMs?: number
  /** Which of the flow's limiters it is, where it has one for each key. */
  readonly key?: string
}

/** What a run waits for before it may begin. */
export interface PendingSlot extends Gate {
  readonly sinceMs: number
}

/** The gate that it waits at. */
export function gateOf({ head, gate }: RunState): Gate | undefined {
  return head.gates?.[gate]
}

export function pendingSlotOf(state: RunState): PendingSlot | undefined {
  const gate = isTerminal(state.status) ? undefined : gateOf(state)
  return gate === undefined ? undefined : { ...gate, sinceMs: state.atGateSinceMs }
}
