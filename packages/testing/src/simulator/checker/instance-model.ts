/** What the referee knows of one node instance: from events alone, in words of its own. */
import type { JoinState } from './join-rules.ts'

export type Phase = 'ready' | 'claimed' | 'sleeping' | 'awaiting' | 'expanded' | 'settled'

export class InstanceModel {
  readonly id: string
  phase: Phase = 'ready'
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
  /** What its predecessors' fates said when it was first claimed. */
  stateAtStart: JoinState | undefined

  constructor(id: string) {
    this.id = id
  }

  get hasStarted(): boolean {
    return this.fence > 0
  }
}
