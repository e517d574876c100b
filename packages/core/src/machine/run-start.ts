/** The first event of a run, made of what it is started with. */
import type { RunEvent } from '../model/event.ts'
import { deepEqual } from '../model/json.ts'
import type { NewRun, RunHead } from '../model/run.ts'
import type { RunState } from '../model/run-state.ts'

export function headOf(run: NewRun, atMs: number): RunHead {
  return {
    runId: run.runId,
    kind: run.kind,
    flowId: run.flowId,
    ...(run.version === undefined ? {} : { version: run.version }),
    tags: run.tags ?? [],
    priority: run.priority ?? 0,
    failFast: run.failFast ?? true,
    lineage: run.lineage ?? { rootRunId: run.runId },
    correlation: run.correlation ?? { traceId: run.runId, spanId: run.runId },
    createdAtMs: atMs,
    ...(run.deadlineMs === undefined ? {} : { deadlineAtMs: (run.startAtMs ?? atMs) + run.deadlineMs }),
    ...(run.gates === undefined ? {} : { gates: run.gates }),
    ...(run.publishJournal === true ? { publishJournal: true } : {}),
  }
}

export function runStarted(run: NewRun, head: RunHead, atMs: number): RunEvent {
  return {
    seq: 1,
    atMs,
    type: 'run-started',
    head,
    ...(run.input === undefined ? {} : { input: run.input }),
    ...(run.context === undefined ? {} : { context: run.context }),
    starts: run.starts,
    ...(run.startAtMs === undefined ? {} : { startAtMs: run.startAtMs }),
    ...(run.from === undefined ? {} : { from: run.from }),
    ...(run.carried === undefined ? {} : { carried: run.carried }),
  }
}

/** Whether a `create` with this content asks for the run that is already here. */
export function isSameStart({ head, input, firstContext }: RunState, run: NewRun): boolean {
  return (
    head.flowId === run.flowId &&
    head.lineage.parentRunId === run.lineage?.parentRunId &&
    head.lineage.branchOriginRunId === run.lineage?.branchOriginRunId &&
    head.lineage.branchCheckpointId === run.lineage?.branchCheckpointId &&
    head.lineage.succession?.previousRunId === run.lineage?.succession?.previousRunId &&
    head.version === run.version &&
    deepEqual(input, run.input) &&
    deepEqual(firstContext, run.context)
  )
}
