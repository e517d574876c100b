/**
 * The flow that keeps a schedule: one node in a loop. A turn waits until the next instant or for news, decides, starts
 * what is to be started, and writes down what it remembers.
 *
 *   turn ─► wait (instant or news) ─► advance ─► startRun, cancelRun ─► state ─┐
 *     ▲                                                                       │
 *     └──────────────────── again, now and then as a new run ─────────────────┘
 *
 * A turn that is cut off begins again where it was: its wait and its decision are recorded, and what it started has an
 * id made of schedule and instant. So a crash, a double or a zombie starts nothing twice.
 */
import {
  BatonError,
  checkOptions,
  checkText,
  createFlow,
  type NodeArguments,
  type NodeResult,
  parseRunId,
  type RunnableFlow,
} from '@baton/core'
import { type Advance, advance, isOver, type News, wakeAtMs } from './advance.ts'
import { changed, type ScheduleChanges } from './changes.ts'
import { changeableMembers, checkSpec, type Spec } from './spec.ts'
import type { Firing, ScheduleState } from './state.ts'

/** The signal that brings news, from clients and from runs that have ended. */
export const MAILBOX = 'schedule'
/** On a schedule's own runs. */
export const EVERY_SCHEDULE = 'schedules'
export const tagOf = (id: string) => `keeps-schedule:${id}`

/** Then it goes on as a new run, with an empty journal. A run of this many turns takes some 100 KB. */
const TURNS_PER_RUN = 100

/** What a schedule's run keeps in its context. */
export interface Kept {
  readonly spec: Spec
  readonly state: ScheduleState
}

/** What clients tell it. */
export type Told =
  | Extract<News, { type: 'paused' | 'unpaused' | 'triggered' }>
  | { readonly type: 'updated'; readonly changes: ScheduleChanges }

function scheduleFlowId(flowId: string): string {
  return `schedule:${flowId}`
}

/** The flow that keeps the schedules of the flow of that id. */
export function scheduleFlow(flowId: string): RunnableFlow {
  return createFlow(scheduleFlowId(flowId), { version: '1', description: `Keeps the schedules of ${flowId}.` })
    .node('turn', turn, {
      uses: '@baton/schedule/turn@1',
      params: { flow: flowId },
      reads: ['spec', 'state'],
      // A mistake of ours or an odd moment must not end what was to go on for ever.
      retry: { attempts: 1_000_000, maxDelayMs: 600_000 },
      // Workers that die while it is their turn say nothing of it, and a schedule is to outlive them all.
      maxLostLeases: 1_000_000,
    })
    .edge('turn', 'turn', { action: 'again', loop: { maxVisits: TURNS_PER_RUN } })
}

async function turn(args: NodeArguments): Promise<NodeResult<unknown>> {
  const { context, now, step, visit } = args
  const { spec, state } = (await context.getMany<Kept>(['spec', 'state'])) as Kept
  const news = await nextNews(state, spec, args)
  const plan = await step('advance', () => advance(state, spec, news, now()))
  const newSpec = news.type === 'updated' ? news.spec : spec
  const after = await carryOut(plan, newSpec, args)
  if (newSpec !== spec) await context.set('spec', newSpec)
  await context.set('state', after)
  if (!isOver(after, newSpec)) {
    if (visit < TURNS_PER_RUN) return { action: 'again' }
    return args.continueAsNew(undefined, { context: { spec: newSpec, state: after } })
  }
  const { startedCount, triggeredCount, skippedCount, refusedCount } = after
  return { output: { startedCount, triggeredCount, skippedCount, refusedCount }, action: 'over' }
}

async function nextNews(state: ScheduleState, spec: Spec, { now, waitForSignal, log }: NodeArguments): Promise<News> {
  const atMs = wakeAtMs(state, spec)
  try {
    const told = await waitForSignal(MAILBOX, atMs === undefined ? {} : { timeoutMs: Math.max(0, atMs - now()) })
    const news = toNews(told, spec)
    if (news.type === 'due') log('warn', 'news that a schedule does not know', { schedule: spec.id })
    return news
  } catch (error) {
    if (BatonError.is(error, 'WAIT_TIMEOUT')) return { type: 'due' }
    throw error
  }
}

/** Anybody can send a signal: what is no news of ours changes nothing. */
function toNews(told: unknown, spec: Spec): News {
  if (typeof told !== 'object' || told === null) return NOTHING
  const { type, runId, status, reason, changes } = told as { [member: string]: unknown }
  if (type === undefined && typeof runId === 'string' && typeof status === 'string') return { type: 'ended', runId }
  try {
    switch (type) {
      case 'paused':
        checkText(reason, 'reason')
        return { type, ...(reason === undefined ? {} : { reason: reason as string }) }
      case 'unpaused':
        return { type }
      case 'triggered':
        return { type, runId: parseRunId(runId as string) }
      case 'updated': {
        checkOptions(changes as object, changeableMembers, 'changes')
        return toUpdate(spec, changes as ScheduleChanges)
      }
      default:
        return NOTHING
    }
  } catch {
    return NOTHING
  }
}

/** Whoever made the change has checked it against what was known then; another change may have come before it. */
function toUpdate(spec: Spec, changes: ScheduleChanges): News {
  try {
    const updated = changed(spec, changes)
    checkSpec(updated)
    return { type: 'updated', spec: updated }
  } catch (error) {
    if (!BatonError.is(error)) throw error
    return { type: 'unfit', code: error.code, message: error.message }
  }
}

const NOTHING: News = { type: 'due' }

/** Starts and calls off. A start that the flow refuses makes place for the next one. */
async function carryOut({ state, starts, cancels }: Advance, spec: Spec, args: NodeArguments): Promise<ScheduleState> {
  const { cancelRun, now } = args
  for (const runId of cancels) await cancelRun(runId, `the next run of schedule ${spec.id} is due`)
  let after = state
  const left = [...starts]
  for (let firing = left.shift(); firing !== undefined; firing = left.shift()) {
    const refusal = await start(firing, spec, args)
    if (refusal === undefined) {
      after = { ...after, last: firing }
      continue
    }
    const next = advance(after, spec, { type: 'refused', firing, ...refusal }, now())
    after = next.state
    left.push(...next.starts)
  }
  return after
}

const REFUSALS = ['INVALID_VALUE', 'INVALID_OPTION', 'INVALID_ID', 'UNKNOWN_FLOW', 'TOO_LARGE'] as const

/** @returns why it was refused, if it was */
async function start(firing: Firing, spec: Spec, { startRun, params, log }: NodeArguments) {
  const { id, input, overlap, run: { tags = [], ...options } = {} } = spec
  const { runId, atMs, triggered } = firing
  try {
    await startRun(String(params.flow), input, {
      ...options,
      runId,
      tags: [`schedule:${id}`, ...tags],
      context: { schedule: { id, atMs, ...(triggered === undefined ? {} : { triggered }) } },
      ...(overlap === 'allow' ? {} : { endSignal: MAILBOX }),
    })
    return undefined
  } catch (error) {
    if (!BatonError.is(error) || !REFUSALS.some((code) => BatonError.is(error, code))) throw error
    const { code, message } = error
    log('error', 'a run of a schedule was refused', { schedule: id, refused: runId, error })
    return { code, message }
  }
}
