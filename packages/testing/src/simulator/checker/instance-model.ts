/** What the referee knows of one node instance: from events alone, in words of its own. */
import type { JoinState } from './join-rules.ts'

export type Phase = 'ready' | 'claimed' | 'sleeping' | 'awaiting' | 'expanded' | 'settled'

export class InstanceModel {
  readonly id: string
  phase: Phase = 'ready'
  /** Somebody has claimed it, since it was last open. */
  hasStarted = false
  fence = 0
  workerId = ''
  /** The journal's length when it was last claimed. */
  claimedSeq = 0
  notBeforeMs = 0
  leaseUntilMs = 0
  attemptUntilMs = Number.POSITIVE_INFINITY
  /** It has items. */
  isMap = false
  failures = 0
  lost = 0
  /** Recorded durable calls, by position: when. */
  readonly steps = new Map<number, { readonly name: string; readonly seq: number }>()
  /** The event by which it failed last; 1 where that was before the run began. */
  failedSeq = 1
  /** It was called off while somebody held it. */
  isCalledOff = false
  /** Where it waits, among its durable calls. */
  parkedAt = 0
  /** Calls that have waited in vain: for news that did not come in time, or a child that failed. */
  readonly vainAt = new Set<number>()
  /** What its predecessors' fates said when it was first claimed. */
  stateAtStart: JoinState | undefined

  constructor(id: string) {
    this.id = id
  }

  /** Told once more, it would fail at once: what came in vain and all that it did after is forgotten. */
  forgetsVainWaits(): void {
    const first = Math.min(...this.vainAt)
    for (const position of this.steps.keys()) if (position >= first) this.steps.delete(position)
    this.vainAt.clear()
  }
}
