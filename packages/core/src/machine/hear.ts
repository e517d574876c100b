/** What news from outside means for a run. */
import { unreachable } from '../model/errors.ts'
import type { RunFact } from '../model/event.ts'
import { gateOf } from '../model/gate.ts'
import { deepEqual } from '../model/json.ts'
import type { RunState } from '../model/run-state.ts'
import { isContinuing, newestKnown } from '../model/succession.ts'
import type { RunSignal } from '../ports/claim.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { deadlinePassed } from './ending.ts'
import { reopened } from './redrive.ts'

/** What to record, or why there is nothing; undefined where the run has heard it before, or need not. */
export type Heard = { readonly facts: readonly RunFact[] } | { readonly refusal: NoticeResult } | undefined

/** For a run that has not ended. */
export function hear(state: RunState, notice: Notice, atMs: number): Heard {
  if (notice.type === 'redrive') return reopened(state, notice)
  const heard = hearOne(state, notice, atMs)
  return heard !== undefined && 'fact' in heard ? { facts: [heard.fact] } : heard
}

type HeardOne = { readonly fact: RunFact } | { readonly refusal: NoticeResult } | undefined

function hearOne(state: RunState, notice: Exclude<Notice, { type: 'redrive' }>, atMs: number): HeardOne {
  switch (notice.type) {
    case 'cancel':
      if (state.stopping && !isContinuing(state)) return undefined
      return { fact: { type: 'run-cancel-requested', reason: notice.reason } }
    case 'pause': {
      if ((state.stopping && !isContinuing(state)) || state.held !== undefined) return undefined
      const { reason, code } = notice
      return {
        fact: { type: 'run-pause-ordered', reason, ...byOf(notice), ...(code === undefined ? {} : { code }) },
      }
    }
    case 'unpause':
      return state.held === undefined ? undefined : { fact: { type: 'run-pause-lifted', ...byOf(notice) } }
    case 'signal': {
      const { name, payload, signalId } = notice
      if (signalId !== undefined && state.news?.signalIds.has(signalId) === true) return undefined
      return {
        fact: {
          type: 'signal-received',
          name,
          ...(payload === undefined ? {} : { payload }),
          ...(signalId === undefined ? {} : { signalId }),
        },
      }
    }
    case 'decide': {
      const { approvalId, decision } = notice
      if (!awaitsApproval(state, approvalId)) return { refusal: { status: 'unknown-approval' } }
      return { fact: { type: 'approval-decided', approvalId, decision } }
    }
    case 'deadline': {
      const fact = deadlinePassed(state, atMs)
      return fact === undefined ? undefined : { fact }
    }
    case 'child-ended': {
      const { childRunId, end } = notice
      const child = state.children?.get(childRunId)
      if (child === undefined || child.end !== undefined) return undefined
      return { fact: { type: 'child-ended', childRunId, end } }
    }
    case 'slot-grant':
      if (gateOf(state)?.limiter !== notice.limiter || state.stopping) return undefined
      return { fact: { type: 'slot-granted', limiter: notice.limiter } }
    case 'continued':
    // Only of a run that has ended is there anything to say.
    case 'slot-request':
    case 'slot-release':
    case 'slots-due':
    case 'limiter-move':
      // News for a limiter, and this run is none.
      return undefined
    default:
      return unreachable(notice)
  }
}

/** A decision stands after the run has ended too: who asks again, for want of an answer, gets the same one. */
export function decidedBefore({ news }: RunState, notice: Notice, run: RunSignal): NoticeResult | undefined {
  const decided = notice.type === 'decide' ? news?.decisions.get(notice.approvalId) : undefined
  if (decided === undefined || notice.type !== 'decide') return undefined
  const { decision } = notice
  return decided.approved === decision.approved && deepEqual(decided.payload, decision.payload)
    ? { status: 'unchanged', run }
    : { status: 'conflict', decision: decided }
}

/** A first run knows from its own journal which one comes second. */
const FIRST_SUCCESSOR = 2

/**
 * A run that another one goes on for says which: who brings news shall bring it there. What it has taken itself, it does
 * not pass on.
 */
export function hearAfterEnd(state: RunState, notice: Notice, run: RunSignal): NoticeResult {
  if (notice.type === 'signal' && notice.signalId !== undefined && state.news?.signalIds.has(notice.signalId)) {
    return { status: 'unchanged', run }
  }
  if (notice.type === 'continued' && state.continuedBy !== undefined) {
    const { by, link } = notice
    if (link > (state.newest?.link ?? FIRST_SUCCESSOR)) state.newest = { runId: by, link }
  }
  const continuedBy = newestKnown(state)
  return { status: 'ended', run, ...(continuedBy === undefined ? {} : { continuedBy }) }
}

function awaitsApproval({ news }: RunState, approvalId: string): boolean {
  for (const { parked } of news?.awaiting.values() ?? []) {
    if (parked?.wait?.kind === 'approval' && parked.wait.name === approvalId) return true
  }
  return false
}

function byOf({ by }: { readonly by?: string }): { readonly by?: string } {
  return by === undefined ? {} : { by }
}
