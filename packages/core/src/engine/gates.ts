/** The gates of a new run: which limits its flow puts on it, and which limiter keeps each of them. */
import type { ConcurrencyLimit, RateLimit } from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import type { Gate } from '../model/gate.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { LIMITER_PREFIX } from '../model/limiter.ts'
import type { NewRun } from '../model/run.ts'
import type { Graph } from './graph.ts'
import { walk } from './input.ts'
import { sha256 } from './sha256.ts'

interface Asked {
  /** As its nodes will get it: where a key comes from. */
  readonly input: unknown
  /** Given with the start, in place of what the input says. */
  readonly limitKey: string | undefined
}

/** The new run, with its gates. Throws `INVALID_VALUE` where a key is missing; then nothing was written. */
export async function withGates({ limits, flowId }: Graph, run: NewRun, asked: Asked): Promise<NewRun> {
  if (asked.limitKey !== undefined && !limits.some(({ key }) => key !== undefined)) {
    const hint = 'Leave it out, or give a limit of the flow a `key`.'
    throw new BatonError('INVALID_OPTION', { field: 'limitKey', message: `no limit of ${flowId} has a key`, hint })
  }
  if (limits.length === 0) return run
  return { ...run, gates: await Promise.all(limits.map((limit) => gateFor(flowId, limit, asked))) }
}

async function gateFor(flowId: string, limit: ConcurrencyLimit | RateLimit, asked: Asked): Promise<Gate> {
  const key = limit.key === undefined ? undefined : keyOf(limit.key, asked)
  return {
    limiter: await limiterIdFor(flowId, limit, key),
    flowId,
    ...(key === undefined ? {} : { key }),
    most: limit.limit,
    ...('periodMs' in limit ? { perMs: limit.periodMs } : {}),
  }
}

const MOST_CHARACTERS = 512

function keyOf(path: readonly string[], { input, limitKey }: Asked): string {
  const field = limitKey === undefined ? ['input', ...path].join('.') : 'limitKey'
  const found = limitKey ?? walk(input, path)
  const isName = typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
  const key = isName ? String(found) : ''
  if (key.length > 0 && key.length <= MOST_CHARACTERS) return key
  const kind = found === null ? 'null' : typeof found
  const message = isName ? `a key has 1 to ${MOST_CHARACTERS} characters` : `no key for a limit: ${kind}`
  const hint =
    'The flow has a limit for each value found there: a text or a number. Or start the run with a `limitKey`.'
  throw new BatonError('INVALID_VALUE', { field, message, hint })
}

const READABLE = 100

/** Says which limit it is where that fits into an id; what does not, or could be read as another one, is hashed. */
async function limiterIdFor(
  flowId: string,
  limit: ConcurrencyLimit | RateLimit,
  key: string | undefined,
): Promise<RunId> {
  const kind = 'periodMs' in limit ? 'rate' : 'runs'
  const { key: path = [] } = limit
  const parts = [flowId, kind, ...(key === undefined ? [] : [path.join('.'), key])]
  const readable = parts.join(':')
  const isPlain = parts.every((part) => /^[A-Za-z0-9._@-]+$/.test(part)) && path.every((name) => !name.includes('.'))
  if (isPlain && readable.length <= READABLE) return parseRunId(`${LIMITER_PREFIX}${readable}`)
  return parseRunId(`${LIMITER_PREFIX}${await sha256(JSON.stringify([flowId, kind, path, key ?? null]))}`)
}
