/**
 * Gives failed work another chance. In a live run the instance is opened again where it is. A run that has ended never
 * changes: a new one is made that begins before the failure, and what had settled by then is not done again.
 */

import { firstWords, firstWork } from '../engine/first-words.ts'
import { endOf } from '../engine/tell-end.ts'
import { checkOptions, checkText } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { ChildEnd } from '../model/message.ts'
import { isTerminal, type NewRun, type RunRecord } from '../model/run.ts'
import type { NoticeResult } from '../ports/notice.ts'
import { newestSummary } from './follow.ts'
import { redriveIdOf } from './redrive-id.ts'
import { doubtfulChildren, isStartedAgain, type RedrivePoint, redrivenRun, redrivePoint } from './redriven-run.ts'
import { unknownRun } from './run-or-throw.ts'
import type { RunPorts } from './run-ports.ts'

export interface RedriveOptions {
  /** Only this dead letter. Of a run that has ended, the first that failed: the others come after it anyway. */
  readonly instanceId?: InstanceId
  readonly by?: string
}

type Ports = Pick<RunPorts, 'store' | 'clock' | 'send' | 'deliver' | 'bring'>

/** @returns the run in which the work is done: the same one, or the one that was made for it */
export async function redrive(asked: RunId, options: RedriveOptions, ports: Ports): Promise<RunId> {
  checkOptions(options, ['instanceId', 'by'] satisfies (keyof RedriveOptions)[])
  const { instanceId, by } = options
  checkText(instanceId, 'instanceId')
  checkText(by, 'by')
  const { runId = asked } = (await newestSummary(ports, asked)) ?? {}
  const run = await ports.store.load(runId)
  if (run === undefined) throw unknownRun(runId)
  const letters = run.deadLetters.filter((letter) => instanceId === undefined || letter.instanceId === instanceId)
  if (letters.length === 0) throw notDead(run, instanceId)
  if (isTerminal(run.status)) return redriveEnded(run, instanceId, ports)
  const which = instanceId === undefined ? {} : { instanceId }
  const result = await ports.store.notify({ type: 'redrive', runId, ...which, ...(by === undefined ? {} : { by }) })
  // It has ended in the meantime.
  if (result.status === 'ended') return redrive(runId, options, ports)
  if (result.status !== 'accepted') throw refusal(run, instanceId, result)
  await ports.send(runId, result.ready)
  return runId
}

async function redriveEnded(run: RunRecord, instanceId: InstanceId | undefined, ports: Ports): Promise<RunId> {
  const { store, clock } = ports
  const { runId, deadLetters } = run
  const newRunId = await redriveIdOf(runId)
  if ((await store.summary(newRunId))?.lineage.branchOriginRunId === runId) return newRunId
  const events: RunEvent[] = []
  for await (const event of store.journal(runId)) events.push(event)
  const point = redrivePoint(events, deadLetters)
  if (instanceId !== undefined && !point.instanceIds.includes(instanceId)) {
    throw new BatonError('NOT_REDRIVABLE', {
      field: 'instanceId',
      message: `${point.instanceIds.join(', ')} failed before ${instanceId}, and decided the run`,
      hint: 'Leave `instanceId` out: the run is taken up before its first failure, and comes by the others again.',
      runId,
    })
  }
  const { childEnds, newChildIds } = await lookAfterChildren(point, ports)
  const atMs = clock.now()
  const created = redrivenRun(point, { runId: newRunId, childEnds, newChildIds, atMs })
  await create(created, ports)
  return newRunId
}

async function create(run: NewRun, { store, send, deliver, clock }: Ports): Promise<void> {
  const { runId } = run
  const nowMs = clock.now()
  const result = await store.create(run)
  switch (result.status) {
    case 'created':
      await send(runId, firstWork(run, nowMs))
      await deliver(runId, firstWords(run, nowMs))
      return
    case 'exists':
      if (result.same) return
      throw new BatonError('RUN_EXISTS', { field: 'runId', message: `another run has the id ${runId}`, runId })
    case 'purged':
      throw new BatonError('RUN_EXISTS', { field: 'runId', message: `run ${runId} has ended and was removed`, runId })
    case 'too-large':
      throw new BatonError('TOO_LARGE', { field: 'from', message: `the store takes ${result.limitBytes} bytes`, runId })
  }
}

/** Each is shared with its end, or started anew, or left to the work that will start it by itself. */
async function lookAfterChildren(point: RedrivePoint, { store }: Ports) {
  const childEnds = new Map<RunId, ChildEnd>()
  const newChildIds = new Map<RunId, RunId>()
  for (const { runId, detached, hasFailed } of doubtfulChildren(point)) {
    const child = await store.summary(runId)
    if (child?.status === 'completed') childEnds.set(runId, endOf(child))
    else if (isStartedAgain(point, runId)) continue
    else if (!detached || hasFailed || child === undefined) newChildIds.set(runId, await redriveIdOf(runId))
    else if (isTerminal(child.status)) childEnds.set(runId, endOf(child))
    else {
      throw new BatonError('NOT_REDRIVABLE', {
        field: 'children',
        message: `its child ${runId} goes on by itself, and would not tell the new run of its end`,
        hint: 'Redrive when that run has ended, or cancel it.',
        runId: point.state.head.runId,
      })
    }
  }
  return { childEnds, newChildIds }
}

function notDead({ runId, deadLetters, status }: RunRecord, instanceId: InstanceId | undefined): BatonError {
  const known = deadLetters.map((letter) => letter.instanceId).join(', ')
  const message =
    instanceId === undefined
      ? `run ${runId} is ${status} and has no dead letters`
      : `${instanceId} is none of its dead letters: ${known || 'there are none'}`
  return new BatonError('NOT_REDRIVABLE', { field: instanceId === undefined ? 'runId' : 'instanceId', message, runId })
}

function refusal(run: RunRecord, instanceId: InstanceId | undefined, result: NoticeResult): BatonError {
  const { runId } = run
  const field = 'instanceId'
  switch (result.status) {
    case 'gone-on': {
      const message = `${result.instanceId} has acted on the failure of ${result.deadLetter}`
      const hint =
        'Wait until the run has ended and redrive it then, or cancel it first: that starts before the failure.'
      return new BatonError('NOT_REDRIVABLE', { field, message, hint, runId })
    }
    case 'stopping': {
      const hint = 'Redrive it when it has ended: a new run is then made that begins before the failure.'
      return new BatonError('NOT_REDRIVABLE', { field, message: `run ${runId} is about to end`, hint, runId })
    }
    default:
      // Somebody else was faster.
      return notDead({ ...run, deadLetters: [] }, instanceId)
  }
}
