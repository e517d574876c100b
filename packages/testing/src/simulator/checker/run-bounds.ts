/** How a run begins and how it ends, as the referee follows it. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import { beginAgain } from './beginning-again.ts'
import { callOff } from './calling-off.ts'
import { type EndEvent, mistakeOfEnd } from './ending.ts'
import { mistakeOfGates } from './flow-limits.ts'
import { GatesModel } from './gates-model.ts'
import type { RunModel } from './run-model.ts'
import { mistakeOfNext, takeOver } from './succession-model.ts'
import { Violation } from './violation.ts'

export function begin(run: RunModel, event: Extract<RunEvent, { type: 'run-started' }>): void {
  const { head, starts, startAtMs = event.atMs } = event
  const { lineage, gates = [] } = head
  run.deadlineAtMs = head.deadlineAtMs ?? Number.POSITIVE_INFINITY
  run.failFast = head.failFast
  run.isPublished = head.publishJournal === true
  run.input = event.input
  run.startsAtMs = startAtMs
  run.family.parent = lineage.parentRunId
  run.firstRunId = lineage.succession?.firstRunId ?? run.runId
  run.link = lineage.succession?.link ?? 1
  run.gates = new GatesModel(gates, run.family, startAtMs)
  const mistake = mistakeOfGates(run.flow, event)
  run.must('LIMIT', mistake === undefined, mistake ?? '')
  run.starts = starts
  if (event.from === undefined) {
    run.must('I2', isDeepStrictEqual(starts, run.rules.starts), `it starts with ${starts}`)
  } else {
    const wrong = beginAgain(run, event, run.sourceOf(lineage.branchOriginRunId ?? ''))
    run.must('REDO', wrong === undefined, wrong ?? '')
  }
  for (const id of starts) run.becomes(run.instance(id), 'ready', startAtMs)
  if (event.carried !== undefined) takeOver(run, event.carried)
}

export function end(run: RunModel, event: EndEvent): void {
  run.end = event.type
  const isContinuing = run.continueAs !== undefined
  const why = {
    isStopping: run.isStopping,
    hasFailed: run.hasFailed,
    cancelRequested: run.cancelRequested,
    isContinuing,
  }
  const mistake = mistakeOfEnd(event.type, why, run.instances.values())
  if (mistake !== undefined) throw new Violation(mistake.invariant, run.runId, mistake.message)
  // Of one that goes on as new it is nobody's loss.
  const failed = event.type === 'run-completed' && !isContinuing ? lastThatFailed(run) : undefined
  run.must('I8', failed === undefined, `completed though ${failed} has failed, and nothing is behind it`)
  run.next = event.type === 'run-completed' ? event.next : undefined
  run.must('ROW', isContinuing === (run.next !== undefined), `it ${isContinuing ? 'does not go on' : 'goes on'} as new`)
  if (run.next !== undefined) goOnAs(run, run.next)
  else run.family.tellsParent()
  if (event.type !== 'run-completed') run.family.callsOff()
  run.gates.leaves(event.atMs)
}

function goOnAs(run: RunModel, next: NewRun): void {
  const mistake = mistakeOfNext(run, next)
  run.must('ROW', mistake === undefined, mistake ?? '')
  run.family.tells(`continue:${next.runId}`, { type: 'start', to: next.runId })
  for (const instance of run.instances.values()) callOff(instance, run)
}

/** What nothing follows, and nothing stands in for: nobody takes its failure. */
function lastThatFailed({ fates, rules: { layout } }: RunModel): string | undefined {
  for (const [id, { fate }] of fates.all) {
    const { node, isItem, isTurn } = layout.spot(id)
    if (fate !== 'failed' || isItem || isTurn) continue
    const place = layout.place(node)
    if (place.outgoing.length === 0 && place.node.config?.fallback === undefined) return id
  }
  return undefined
}
