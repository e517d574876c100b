import { checkOptions, checkText } from '../model/check-options.ts'
import { checkKey } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { isPlainObject, type JsonValue } from '../model/json.ts'
import { LIMITER_PREFIX } from '../model/limiter.ts'
import type { NewRun } from '../model/run.ts'
import type { NewId } from '../ports/clock.ts'
import type { ISerializer } from '../ports/serializer.ts'
import { withGates } from './gates.ts'
import type { Graph } from './graph.ts'
import { sha256 } from './sha256.ts'
import { newRunOf } from './start-run.ts'

export interface StartOptions {
  /** 1 to 128 of `A-Z a-z 0-9 . _ : @ -`. Starting it again with the same input gives the same run. */
  readonly runId?: string
  /** Makes the start repeatable without choosing a run id: the same key gives the same run. */
  readonly idempotencyKey?: string
  readonly version?: string
  /** First state of the context. */
  readonly context?: Readonly<Record<string, unknown>>
  /** Nothing of the run is claimed before this instant. */
  readonly startAtMs?: number
  /** The run fails with `RUN_TIMEOUT` this long after its start. */
  readonly deadlineMs?: number
  /** Higher goes first. Default 0. */
  readonly priority?: number
  readonly tags?: readonly string[]
  /** Which of a flow's limits with a `key` it falls under, in place of what its input says. */
  readonly limitKey?: string
}

/** What follows the flow in `start` and `run`: its input may be left out only where it may be undefined. */
export type StartArguments<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options]

interface Codes {
  readonly serializer: ISerializer
  readonly newId: NewId
}

/** A start, checked and encoded: what a store can create. Throws before anything is written. */
function toNewRun(graph: Graph, input: unknown, options: StartOptions, codes: Codes): NewRun {
  checkStartOptions(options)
  const encoded = input === undefined ? undefined : codes.serializer.encode(input, 'input')
  const { runId, context, startAtMs, deadlineMs, priority, tags } = options
  const run = newRunOf(graph, checkRunId(runId === undefined ? codes.newId() : runId), encoded)
  return {
    ...run,
    ...(context === undefined ? undefined : { context: encodeContext(context, codes) }),
    ...(startAtMs === undefined ? undefined : { startAtMs: checkTime('startAtMs', startAtMs) }),
    ...(deadlineMs === undefined ? undefined : { deadlineMs: checkTime('deadlineMs', deadlineMs) }),
    ...(priority === undefined ? undefined : { priority: checkPriority(priority) }),
    ...(tags === undefined ? undefined : { tags: tags.map((tag, index) => checkTag(tag, `tags[${index}]`)) }),
  }
}

/** … and with the gates that it has to pass, as its flow's limits want it. */
export function toGatedRun(graph: Graph, input: unknown, options: StartOptions, codes: Codes): Promise<NewRun> {
  return withGates(graph, toNewRun(graph, input, options, codes), { input, limitKey: options.limitKey })
}

/** What a run starts, or goes on as, is published as it is itself. */
export function publishedAs({ publishJournal }: Pick<NewRun, 'publishJournal'>): Pick<NewRun, 'publishJournal'> {
  return publishJournal === true ? { publishJournal } : {}
}

function checkRunId(text: string): RunId {
  const runId = parseRunId(text)
  if (!runId.startsWith(LIMITER_PREFIX)) return runId
  const hint = `Ids that begin with ${LIMITER_PREFIX} are those of limiters.`
  throw new BatonError('INVALID_ID', { field: 'runId', message: `not an id for a run: ${JSON.stringify(text)}`, hint })
}

/** The options with the run id that an idempotency key stands for. */
export async function withRunId(flowId: string, options: StartOptions): Promise<StartOptions> {
  const { runId, idempotencyKey, ...rest } = options
  if (idempotencyKey === undefined) return options
  if (runId !== undefined) {
    const hint = 'Give the one or the other: a key stands for a run id.'
    throw new BatonError('INVALID_OPTION', { field: 'idempotencyKey', message: 'given beside a runId', hint })
  }
  return { ...rest, runId: await runIdOfKey(flowId, idempotencyKey) }
}

/**
 * A key becomes the run's id, so that the store's own rule (one run per id) is all that a repeatable start needs. Keys
 * that read well stay readable; the others, and those that another flow's key could read like, are hashed.
 */
async function runIdOfKey(flowId: string, key: string): Promise<RunId> {
  if (typeof key !== 'string' || key === '' || key.length > 1_024) {
    throw new BatonError('INVALID_ID', { field: 'idempotencyKey', message: 'a key is a text of 1 to 1,024 characters' })
  }
  const readable = `${flowId}:${key}`
  if (!flowId.includes(':') && /^[A-Za-z0-9._:@-]{1,128}$/.test(readable)) return parseRunId(readable)
  return parseRunId(`key-${await sha256(`${flowId.length}:${readable}`)}`)
}

/** What every start may say, whoever makes it. */
export const commonOptions = [
  'context',
  'startAtMs',
  'deadlineMs',
  'priority',
  'tags',
  'limitKey',
] as const satisfies readonly (keyof StartOptions)[]

const startOptions = [
  'runId',
  'idempotencyKey',
  'version',
  ...commonOptions,
] as const satisfies readonly (keyof StartOptions)[]

const MOST_TAGS = 100

/** What can be told without the flow. */
export function checkStartOptions(options: StartOptions): void {
  checkOptions(options, startOptions)
  const { tags, context, limitKey } = options
  checkText(limitKey, 'limitKey')
  if (tags !== undefined && (!Array.isArray(tags) || tags.length > MOST_TAGS)) {
    throw new BatonError('INVALID_OPTION', { field: 'tags', message: `a list of at most ${MOST_TAGS} texts` })
  }
  if (context !== undefined && !isPlainObject(context)) {
    throw new BatonError('INVALID_OPTION', { field: 'context', message: 'a plain object of values by key' })
  }
}

function encodeContext(
  context: Readonly<Record<string, unknown>>,
  codes: Codes,
): { readonly [key: string]: JsonValue } {
  const entries = Object.entries(context).map(([key, value]): [string, JsonValue] => {
    checkKey(key, `context.${key}`)
    return [key, codes.serializer.encode(value ?? null, `context.${key}`)]
  })
  return Object.fromEntries(entries)
}

function checkTime(field: string, ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return ms
  throw new BatonError('INVALID_OPTION', { field, message: `not a time in milliseconds: ${ms}` })
}

function checkPriority(priority: number): number {
  if (Number.isInteger(priority) && Math.abs(priority) <= 1_000) return priority
  throw new BatonError('INVALID_OPTION', { field: 'priority', message: 'a whole number from -1,000 to 1,000' })
}

function checkTag(tag: string, field: string): string {
  if (typeof tag === 'string' && tag.length >= 1 && tag.length <= 128 && !/\p{Cc}/u.test(tag)) return tag
  throw new BatonError('INVALID_OPTION', {
    field,
    message: 'a tag has 1 to 128 characters, none of them a control character',
  })
}
