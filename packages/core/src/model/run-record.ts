/** A run whole, cut from its state: what operators and `load` see. */
import type { ChildState } from './family.ts'
import type { JsonValue } from './json.ts'
import { limiterViewOf } from './limiter.ts'
import type { Checkpoint, ChildView, DeadLetter, InstanceStatus, InstanceView, RunMetrics, RunRecord } from './run.ts'
import { type InstanceState, NEVER, type RunState, summaryOf } from './run-state.ts'

export function recordOf(state: RunState): RunRecord {
  const context: { [key: string]: JsonValue } = {}
  for (const [key, entry] of state.context) context[key] = entry.value
  const instances = [...state.instances.values()]
  return {
    ...summaryOf(state),
    errors: instances.flatMap(({ id, error }) => (error === undefined ? [] : [{ instanceId: id, ...error }])),
    deadLetters: deadLettersOf(state),
    checkpoints: checkpointsOf(state, instances),
    metrics: metricsOf(state, instances),
    instances: instances.map(viewOf),
    context,
    children: [...(state.children?.values() ?? [])].map(childViewOf),
    decisions: Object.fromEntries(state.news?.decisions ?? []),
    ...(state.limiter === undefined ? {} : { limiter: limiterViewOf(state.limiter) }),
  }
}

function viewOf(instance: InstanceState): InstanceView {
  return {
    instanceId: instance.id,
    nodeId: instance.nodeId,
    status: instance.status,
    attempt: attemptOf(instance),
    lostLeases: instance.lostLeases,
    fence: instance.fence,
    arrivals: instance.arrivals.map(({ edge, from, fate }) => ({ edge, from, fate })),
    ...(instance.output === undefined ? {} : { output: instance.output }),
    ...(instance.action === undefined ? {} : { action: instance.action }),
    ...(instance.error === undefined ? {} : { error: instance.error }),
    ...(instance.reason === undefined ? {} : { reason: instance.reason }),
    ...(instance.workerId === undefined ? {} : { workerId: instance.workerId }),
    // The end of a lease is no part of the journal; when a sleeper wakes is.
    ...(instance.status === 'ready' || instance.status === 'sleeping' || instance.status === 'awaiting'
      ? instance.dueAtMs === NEVER
        ? {}
        : { dueAtMs: instance.dueAtMs }
      : {}),
    steps: [...(instance.steps ?? [])],
    ...(instance.parked?.wait === undefined ? {} : { wait: instance.parked.wait }),
  }
}

function deadLettersOf(state: RunState): DeadLetter[] {
  return [...(state.deadLetters ?? [])].flatMap(([id, atMs]) => {
    const instance = state.instances.get(id)
    if (instance?.error === undefined) return []
    const { nodeId, error, lostLeases } = instance
    return [{ instanceId: id, nodeId, error, attempts: attemptOf(instance), lostLeases, atMs }]
  })
}

function childViewOf({ run: { runId, flowId, version }, instanceId, detached, end }: ChildState): ChildView {
  return {
    runId,
    flowId,
    ...(version === undefined ? {} : { version }),
    instanceId,
    status: end?.status ?? 'running',
    detached,
  }
}

function checkpointsOf(state: RunState, instances: readonly InstanceState[]): Checkpoint[] {
  const checkpoints: Checkpoint[] = [{ id: 'c1', label: 'run-started', seq: 1 }]
  for (const { seq, name, instanceId } of state.checkpoints ?? []) {
    checkpoints.push({ id: `c${seq}`, label: name, seq, instanceId })
  }
  for (const { id, status, settledSeq } of instances) {
    if (settledSeq > 0)
      checkpoints.push({ id: `c${settledSeq}`, label: `${id} ${status}`, seq: settledSeq, instanceId: id })
  }
  return checkpoints.sort((left, right) => left.seq - right.seq)
}

function metricsOf(state: RunState, instances: readonly InstanceState[]): RunMetrics {
  const byStatus: { [status in InstanceStatus]?: number } = {}
  let attempts = 0
  let lostLeases = 0
  for (const instance of instances) {
    byStatus[instance.status] = (byStatus[instance.status] ?? 0) + 1
    attempts += attemptOf(instance)
    lostLeases += instance.lostLeases
  }
  const durationMs = (state.endedAtMs ?? state.updatedAtMs) - state.head.createdAtMs
  return { instances: byStatus, attempts, lostLeases, durationMs }
}

/** Which attempt it is at: 0 before anyone claimed it, then failures of node code plus one, the last failure included. */
function attemptOf(instance: InstanceState): number {
  if (!instance.started) return 0
  return instance.status === 'failed' ? Math.max(1, instance.failures) : instance.failures + 1
}
