/** How a run gets through its gates, and leaves them behind when it has ended. */
import { post } from './family.ts'
import { type Gate, gateOf } from './gate.ts'
import { findAgain } from './hold.ts'
import { open } from './instance-status.ts'
import type { RunMessage } from './message.ts'
import type { RunState } from './run-state.ts'

/** It asks at its first gate, or at the next one. */
export function askAtGate(state: RunState, atMs: number): void {
  const gate = gateOf(state)
  if (gate === undefined) return
  state.atGateSinceMs = atMs
  post(state, requestAt(gate, state.head.priority), atMs)
}

/** What it says at a gate. */
export function requestAt(gate: Gate, priority: number): RunMessage {
  return { key: requestKey(gate), to: gate.limiter, body: { type: 'slot-request', gate, priority } }
}

/** A slot was granted: on to the next gate, or the run begins. */
export function passGate(state: RunState, atMs: number): void {
  const passed = gateOf(state)
  // It was brought, whether that was noted or not.
  if (passed !== undefined) state.outbox?.delete(requestKey(passed))
  state.gate += 1
  if (gateOf(state) !== undefined) return askAtGate(state, atMs)
  for (const instance of state.behindGates.splice(0)) open(state, instance, atMs)
  findAgain(state)
}

/** It has ended: whatever it held or waited for is another's. */
export function leaveGates(state: RunState, atMs: number): void {
  const { gates = [] } = state.head
  for (const gate of gates.slice(0, state.gate + 1)) {
    const isPassed = gate !== gates[state.gate]
    // What was let in under a rate holds nothing.
    if (isPassed && gate.perMs !== undefined) continue
    const asked = state.outbox?.get(requestKey(gate))
    state.outbox?.delete(requestKey(gate))
    // Nobody can have brought it before its time.
    if (asked !== undefined && asked.dueAtMs > atMs) continue
    post(state, { key: `slot-release:${gate.limiter}`, to: gate.limiter, body: { type: 'slot-release' } }, atMs)
  }
}

function requestKey({ limiter }: Gate): string {
  return `slot-request:${limiter}`
}
