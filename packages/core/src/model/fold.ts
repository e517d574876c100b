/**
 * fold(state, event): the only place where an event gains meaning. Folding a journal from its first event gives the
 * state that the store has (P6); that is what makes every other view of a run a fold as well.
 *
 * It mutates the state it is given and reads no clock: the time is in the event.
 */

import { keep, keepDeadLetters } from './dead-letters.ts'
import { applyDeltas, type Delta } from './delta.ts'
import { unreachable } from './errors.ts'
import type { RunEvent } from './event.ts'
import { addChild, callOffChildren, post, tellParent } from './family.ts'
import { hold, letGo } from './hold.ts'
import type { InstanceId, RunId } from './ids.ts'
import { addStep, newInstance, open, setStatus } from './instance-status.ts'
import type { JsonValue } from './json.ts'
import { foldLimiter, openLimiter } from './limiter.ts'
import { askAtGate, leaveGates, passGate } from './pass-gates.ts'
import { keepForPublishing } from './publication.ts'
import { reopen } from './reopen.ts'
import { isSettled, type Outcome, type RecordedStep } from './run.ts'
import { restore } from './run-snapshot.ts'
import { type InstanceState, NEVER, newsOf, RunState, setDue } from './run-state.ts'
import { callOff, openNextItem, settle } from './settle.ts'
import { isContinuing, postSuccessor, takeOver } from './succession.ts'

/** The state of a run from its journal. */
export function foldJournal(events: Iterable<RunEvent>): RunState | undefined {
  let state: RunState | undefined
  for (const event of events) {
    if (state === undefined) {
      if (event.type !== 'run-started') return undefined
      state = new RunState(event.head)
    }
    state.opened.length = 0
    state.sent.length = 0
    fold(state, event)
  }
  return state
}

export function fold(state: RunState, event: RunEvent): void {
  state.seq = event.seq
  state.updatedAtMs = event.atMs
  if (state.publication !== undefined) keepForPublishing(state.publication, event)
  switch (event.type) {
    case 'run-started': {
      state.input = event.input
      state.firstContext = event.context
      for (const [key, value] of Object.entries(event.context ?? {})) state.context.set(key, { value, version: 1 })
      if (event.from !== undefined) restore(state, event.from, event.atMs)
      state.startAtMs = event.startAtMs
      const startAtMs = event.startAtMs ?? event.atMs
      for (const id of event.starts) {
        const instance = state.instances.get(id) ?? newInstance(state, id)
        if (state.head.gates === undefined) open(state, instance, startAtMs)
        else state.behindGates.push(instance)
      }
      askAtGate(state, startAtMs)
      state.limiter = openLimiter(state.head, event.input)
      if (state.limiter !== undefined) state.status = 'running'
      if (event.carried !== undefined) takeOver(state, event.carried, event.atMs)
      return
    }
    case 'run-paused':
      state.status = 'paused'
      return
    case 'run-resumed':
      state.status = 'running'
      return
    case 'run-pause-ordered':
      return hold(state, event, event.atMs)
    case 'run-pause-lifted':
      return letGo(state)
    case 'run-cancel-requested':
      state.stopping = true
      letGo(state)
      // A run that was about to go on as new does not: the cancel came before its end.
      if (state.outcome === undefined || isContinuing(state)) {
        state.outcome = { status: 'cancelled', reason: event.reason }
        state.status = 'cancelling'
      }
      return callOffChildren(state, `its parent was cancelled: ${event.reason}`, event.atMs)
    case 'run-deadline-passed':
      state.stopping = true
      letGo(state)
      state.outcome ??= { status: 'failed', error: event.error }
      return callOffChildren(state, PARENT_FAILED, event.atMs)
    case 'run-completed':
      if (event.next !== undefined) postSuccessor(state, event.next, event.atMs)
      return end(state, 'completed', event.atMs)
    case 'run-failed':
      return end(state, 'failed', event.atMs)
    case 'run-cancelled':
      return end(state, 'cancelled', event.atMs)

    case 'node-claimed': {
      const instance = known(state, event.instanceId)
      const { parked } = instance
      if (parked !== undefined) {
        addStep(instance, parked.wait === undefined ? parked.step : { ...parked.step, timedOut: true })
        instance.parked = undefined
      }
      setStatus(state, instance, 'claimed')
      instance.started = true
      instance.fence = event.fence
      instance.workerId = event.workerId
      instance.claimId = event.claimId
      if (state.status === 'pending') state.status = 'running'
      return
    }
    case 'node-lost': {
      const instance = known(state, event.instanceId)
      instance.lostLeases += 1
      open(state, instance, event.atMs)
      return
    }
    case 'node-released':
      return open(state, known(state, event.instanceId), event.atMs)
    case 'attempt-failed': {
      const instance = known(state, event.instanceId)
      instance.failures += 1
      instance.error = event.error
      return open(state, instance, event.retryAtMs)
    }
    case 'step-recorded': {
      const { instanceId, step, seq } = event
      addStep(known(state, instanceId), step)
      if (step.kind === 'checkpoint') {
        state.checkpoints ??= []
        state.checkpoints.push({ seq, name: step.name, instanceId })
      }
      return changeContext(state, event.deltas)
    }
    case 'node-slept': {
      const instance = known(state, event.instanceId)
      instance.parked = { step: event.step, wait: undefined, sinceMs: event.atMs }
      setStatus(state, instance, 'sleeping')
      setDue(state, instance, event.wakeAtMs)
      return
    }
    case 'node-awaited': {
      const instance = known(state, event.instanceId)
      const ended = event.wait.kind === 'child' ? state.children?.get(event.wait.name as RunId)?.end : undefined
      if (ended !== undefined) {
        addStep(instance, { ...event.step, result: { ...ended, runId: event.wait.name } as JsonValue })
        return open(state, instance, event.atMs)
      }
      const kept = event.wait.kind === 'signal' ? state.news?.signals.get(event.wait.name) : undefined
      if (kept !== undefined && kept.length > 0) {
        const payload = kept.shift()
        addStep(instance, payload === undefined ? event.step : { ...event.step, result: payload })
        return open(state, instance, event.atMs)
      }
      instance.parked = { step: event.step, wait: event.wait, sinceMs: event.atMs }
      setStatus(state, instance, 'awaiting')
      setDue(state, instance, event.timeoutAtMs ?? NEVER)
      return
    }
    case 'map-expanded': {
      const instance = known(state, event.instanceId)
      instance.map = {
        items: event.items,
        concurrency: event.concurrency,
        maxFailures: event.maxFailures,
        next: 0,
        fates: [],
        failures: 0,
        rule: 'map',
        redo: [],
      }
      setStatus(state, instance, 'waiting')
      for (let index = 0; index < event.concurrency && index < event.items.length; index++) {
        openNextItem(state, instance, event.atMs)
      }
      return
    }

    case 'node-succeeded': {
      const instance = known(state, event.instanceId)
      instance.output = event.output
      instance.action = event.action
      if (event.resultOf !== undefined) {
        instance.resultOf = event.resultOf
        state.results.set(event.resultOf, instance)
      }
      if (event.deltas !== undefined) changeContext(state, event.deltas)
      settle(state, instance, 'succeeded', event.arrivals, event.atMs)
      // Where the outcome is fixed already nothing goes on as new, and nothing need stop for it.
      if (event.continueAs !== undefined && state.outcome === undefined) {
        state.stopping = true
        state.outcome = { status: 'continued', run: event.continueAs }
      }
      if (event.cancels !== undefined) for (const id of event.cancels) callOff(state, id, 'lost-the-join', event.atMs)
      return
    }
    case 'node-failed': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      if (event.fence !== undefined) instance.failures += 1
      instance.error = event.error
      instance.untaken = event.fixesOutcome
      if (event.fixesOutcome && state.outcome === undefined) {
        state.outcome = { status: 'failed', error: event.error, instanceId: instance.id } satisfies Outcome
        if (state.head.failFast) {
          state.stopping = true
          letGo(state)
          callOffChildren(state, PARENT_FAILED, event.atMs)
        }
      }
      settle(state, instance, 'failed', event.arrivals, event.atMs)
      if (event.deadLetter === true) keep(state, instance.id, event.atMs)
      else keepDeadLetters(state, instance, event.atMs)
      return
    }
    case 'node-reopened':
      return reopen(state, event.instanceId, event.undone, event.atMs)
    case 'node-skipped': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      instance.reason = event.reason
      return settle(state, instance, 'skipped', event.arrivals, event.atMs)
    }
    case 'node-cancelled': {
      const instance = state.instances.get(event.instanceId) ?? newInstance(state, event.instanceId)
      instance.reason = event.reason
      return settle(state, instance, 'cancelled', [], event.atMs)
    }

    case 'child-started':
      return addChild(state, event.instanceId, event.run, event)
    case 'child-ended': {
      const child = state.children?.get(event.childRunId)
      if (child === undefined) return
      child.end = event.end
      for (const instance of newsOf(state).children.values()) {
        const { parked } = instance
        if (parked?.wait?.name !== event.childRunId) continue
        const result = { ...event.end, runId: event.childRunId } as JsonValue
        wake(state, instance, { ...parked.step, result }, event.atMs)
      }
      return
    }
    case 'message-sent':
      return post(state, event.message, event.atMs)

    case 'slot-granted':
      return passGate(state, event.atMs)
    case 'slot-requested':
    case 'slot-released':
    case 'slots-reviewed':
    case 'limiter-moved':
      return foldLimiter(state, event)

    case 'signal-received': {
      if (event.signalId !== undefined) rememberSignal(newsOf(state).signalIds, event.signalId)
      for (const instance of newsOf(state).awaiting.values()) {
        const { parked } = instance
        if (parked?.wait?.kind !== 'signal' || parked.wait.name !== event.name) continue
        const step = event.payload === undefined ? parked.step : { ...parked.step, result: event.payload }
        return wake(state, instance, step, event.atMs)
      }
      const { signals } = newsOf(state)
      const kept = signals.get(event.name)
      if (kept === undefined) signals.set(event.name, [event.payload])
      else kept.push(event.payload)
      return
    }
    case 'approval-decided': {
      newsOf(state).decisions.set(event.approvalId, event.decision)
      for (const instance of newsOf(state).awaiting.values()) {
        const { parked } = instance
        if (parked?.wait?.kind !== 'approval' || parked.wait.name !== event.approvalId) continue
        return wake(state, instance, { ...parked.step, result: { ...event.decision } }, event.atMs)
      }
      return
    }
    default:
      return unreachable(event)
  }
}

function known(state: RunState, id: InstanceId): InstanceState {
  const instance = state.instances.get(id)
  if (instance === undefined) throw new Error(`the journal of ${state.head.runId} speaks of an unknown instance ${id}`)
  return instance
}

function wake(state: RunState, instance: InstanceState, step: RecordedStep, atMs: number): void {
  addStep(instance, step)
  instance.parked = undefined
  open(state, instance, atMs)
}

function changeContext(state: RunState, deltas: readonly Delta[] | undefined): void {
  if (deltas === undefined || deltas.length === 0) return
  for (const [key, entry] of applyDeltas(state.context, deltas)) {
    if (entry === undefined) state.context.delete(key)
    else state.context.set(key, entry)
  }
}

function end(state: RunState, status: 'completed' | 'failed' | 'cancelled', atMs: number): void {
  state.status = status
  state.held = undefined
  state.endedAtMs = atMs
  if (state.open > 0) {
    for (const instance of state.instances.values()) {
      if (!isSettled(instance.status)) callOff(state, instance.id, `run-${status}`, atMs)
    }
  }
  if (status !== 'completed') callOffChildren(state, PARENT_FAILED, atMs)
  leaveGates(state, atMs)
  // A parent waits for the last of those that go on for each other.
  if (state.continuedBy === undefined) tellParent(state, atMs)
}

/** A run that is signalled for years must not grow with it: the oldest ids are forgotten. */
function rememberSignal(ids: Set<string>, id: string): void {
  ids.add(id)
  if (ids.size <= REMEMBERED_SIGNALS) return
  for (const oldest of ids) {
    ids.delete(oldest)
    return
  }
}

const PARENT_FAILED = 'its parent has failed'
const REMEMBERED_SIGNALS = 10_000
