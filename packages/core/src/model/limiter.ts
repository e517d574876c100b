/**
 * A limiter: the run that grants the slots of one limit, to the runs that ask it.
 *
 * It has no nodes and no code. News from other runs is all that ever happens to it, and what it answers follows from the
 * order of that news alone: slots go to the highest priority, and of one priority to who came first.
 *
 * Nobody polls it, and no slot has a time after which it is free: one that was granted is held until the run that has it
 * says that it has ended. That is said by the fold of its end, and delivered like all messages between runs.
 *
 * A limiter lives as long as its limit is in use, and a journal must not grow that long. After a while it therefore *moves*: a
 * successor begins with what it knows. The first of them stays, to say where the limiter is now; the others end.
 */
import type { RunEvent } from './event.ts'
import { post } from './family.ts'
import type { Gate } from './gate.ts'
import type { RunId } from './ids.ts'
import { isPlainObject, type JsonValue } from './json.ts'
import type { NewRun, RunHead } from './run.ts'
import { NEVER, type RunState } from './run-state.ts'
import { type Waiter, WaitingLine } from './waiting-line.ts'

/** The flow that limiters are runs of: there is no blueprint of it, and no worker has anything to do for it. */
const LIMITER_FLOW = 'baton:limiter'

/** How the ids of limiters begin. No other run may be called like that. */
export const LIMITER_PREFIX = 'baton:limit:'

export interface LimiterState {
  readonly first: RunId
  readonly generation: number
  most: number
  perMs: number | undefined
  /** Those who have a slot. Under a rate nobody holds anything. */
  readonly held: Set<RunId>
  readonly waiting: WaitingLine
  /** Under a rate: when the last ones were let in, oldest first. */
  readonly letInAtMs: number[]
  news: number
  /** Where the limiter is now; this run grants nothing any more. */
  movedTo: number | undefined
}

/** A limiter for those who look at it. */
export interface LimiterView {
  readonly most: number
  readonly perMs?: number
  readonly held: readonly RunId[]
  /** In the order in which they will be let in. */
  readonly waiting: readonly Waiter[]
  /** The run that is this limiter now. */
  readonly movedTo?: RunId
}

/** What a limiter begins with. */
interface Beginning {
  readonly first: RunId
  readonly generation: number
  readonly most: number
  readonly perMs?: number
  readonly held?: readonly RunId[]
  readonly waiting?: readonly Waiter[]
  readonly letInAtMs?: readonly number[]
}

/** The limiter of a gate, as whoever comes first makes it. Two that do make the same. */
export function newLimiter({ limiter, flowId, key }: Gate): NewRun {
  const beginning: Beginning = { first: limiter, generation: 1, most: 0 }
  const tags = [flowId, ...(key === undefined ? [] : [key.slice(0, 128)])]
  return limiterRun(limiter, beginning, tags)
}

function limiterRun(runId: RunId, beginning: Beginning, tags: readonly string[]): NewRun {
  return { runId, kind: 'limiter', flowId: LIMITER_FLOW, input: beginning as unknown as JsonValue, starts: [], tags }
}

/** The run that a limiter is in its n-th generation. */
export function limiterId(first: RunId, generation: number): RunId {
  return generation === 1 ? first : (`${first}:${generation}` as RunId)
}

export function generationOf(first: RunId, runId: RunId): number {
  return runId === first ? 1 : Number(runId.slice(first.length + 1))
}

export function openLimiter({ kind, runId }: RunHead, input: JsonValue | undefined): LimiterState | undefined {
  if (kind !== 'limiter') return undefined
  const known = (isPlainObject(input) ? input : {}) as Partial<Beginning>
  const { first = runId, generation = 1, most = 0, perMs, held = [], waiting = [], letInAtMs = [] } = known
  const line = new WaitingLine()
  for (const waiter of waiting) line.add(waiter)
  return {
    first,
    generation,
    most,
    perMs,
    held: new Set(held),
    waiting: line,
    letInAtMs: [...letInAtMs],
    news: 0,
    movedTo: undefined,
  }
}

type LimiterEvent = Extract<RunEvent, { type: 'slot-requested' | 'slot-released' | 'slots-reviewed' | 'limiter-moved' }>

export function foldLimiter(state: RunState, event: LimiterEvent): void {
  const { limiter } = state
  if (limiter === undefined) return
  switch (event.type) {
    case 'slot-requested': {
      const { from: runId, gate, priority, atMs } = event
      // The newest request says what the limit is.
      limiter.most = gate.most
      limiter.perMs = gate.perMs
      if (!knows(limiter, runId)) limiter.waiting.add({ runId, priority, sinceMs: atMs })
      break
    }
    case 'slot-released':
      limiter.held.delete(event.from)
      limiter.waiting.remove(event.from)
      break
    case 'slots-reviewed':
      break
    case 'limiter-moved':
      return moveLimiter(state, limiter, event.generation, event.atMs)
  }
  limiter.news += 1
  grantSlots(state, limiter, event.atMs)
}

/** Whether the run has a slot here, or waits for one. */
export function knows({ held, waiting }: LimiterState, runId: RunId): boolean {
  return held.has(runId) || waiting.has(runId)
}

/** Lets in as many as there is room for. */
function grantSlots(state: RunState, limiter: LimiterState, atMs: number): void {
  const { held, waiting, letInAtMs, most, perMs, first } = limiter
  while (letInAtMs[0] !== undefined && letInAtMs[0] + (perMs ?? 0) <= atMs) letInAtMs.shift()
  while (waiting.size > 0 && (perMs === undefined ? held.size : letInAtMs.length) < most) {
    const waiter = waiting.takeFirst()
    if (waiter === undefined) break
    if (perMs === undefined) held.add(waiter.runId)
    else letInAtMs.push(atMs)
    const body = { type: 'slot-grant', limiter: first } as const
    // Each grant by itself: a request that comes late may let in a run again whose first grant is only now noted as brought.
    post(state, { key: `slot-grant:${limiter.news}:${waiter.runId}`, to: waiter.runId, body }, atMs)
  }
  state.newDueAtMs = Math.min(state.newDueAtMs, limiterDueAtMs(limiter))
}

/** It would say the same if it were made anew. */
export function isIdle({ held, waiting, letInAtMs, perMs = 0, movedTo }: LimiterState, atMs: number): boolean {
  const last = letInAtMs.at(-1)
  return movedTo === undefined && held.size + waiting.size === 0 && (last === undefined || last + perMs <= atMs)
}

/** It has taken so much news that it should go on in a new run. That costs what it knows, so it depends on that too. */
export function shouldMove({ news, held, waiting }: LimiterState, leastNews: number): boolean {
  return news >= Math.max(leastNews, 4 * (held.size + waiting.size))
}

/** It goes on as its next generation; or the first one hears that it has. */
function moveLimiter(state: RunState, limiter: LimiterState, to: number, atMs: number): void {
  const { first, generation, movedTo, held, waiting, letInAtMs, most, perMs } = limiter
  limiter.movedTo = Math.max(to, movedTo ?? 0)
  if (movedTo !== undefined) return
  const beginning: Beginning = {
    first,
    generation: to,
    most,
    ...(perMs === undefined ? {} : { perMs }),
    held: [...held],
    waiting: waiting.list(),
    letInAtMs: [...letInAtMs],
  }
  const runId = limiterId(first, to)
  const run = limiterRun(runId, beginning, state.head.tags)
  post(state, { key: `start:${runId}`, to: runId, body: { type: 'start', run } }, atMs)
  if (generation > 1) {
    post(state, { key: 'limiter-move', to: first, body: { type: 'limiter-move', generation: to } }, atMs)
  }
  held.clear()
  letInAtMs.length = 0
  while (waiting.takeFirst() !== undefined);
}

/** The next generation of a limiter without those who wait, and what each of them has to ask it. */
export function splitLine(run: NewRun): {
  readonly first: RunId
  readonly bare: NewRun
  readonly requests: readonly (Pick<Waiter, 'runId' | 'priority'> & { readonly gate: Gate })[]
} {
  const { waiting = [], ...rest } = run.input as unknown as Beginning
  const { first, most, perMs } = rest
  const [flowId = ''] = run.tags ?? []
  const gate: Gate = { limiter: first, flowId, most, ...(perMs === undefined ? {} : { perMs }) }
  const requests = waiting.map(({ runId, priority }) => ({ runId, priority, gate }))
  return { first, bare: limiterRun(run.runId, rest, run.tags ?? []), requests }
}

export function limiterViewOf({ first, most, perMs, held, waiting, movedTo }: LimiterState): LimiterView {
  return {
    most,
    ...(perMs === undefined ? {} : { perMs }),
    held: [...held],
    waiting: waiting.list(),
    ...(movedTo === undefined ? {} : { movedTo: limiterId(first, movedTo) }),
  }
}

/** When the next one may be let in, where only time stands in the way. */
export function limiterDueAtMs({ perMs, waiting, letInAtMs, most, movedTo }: LimiterState): number {
  if (perMs === undefined || movedTo !== undefined || waiting.size === 0 || letInAtMs.length < most) return NEVER
  return (letInAtMs[letInAtMs.length - most] ?? 0) + perMs
}
