/**
 * Unknown data becomes a blueprint here, or is refused whole with the place of the mistake and what to do about it.
 *
 * What comes out is a copy, frozen to the bottom, that holds known members only: nobody who kept the original can
 * change a graph that runs depend on. `readers.ts` reads each member by itself; `check-graph.ts` holds what nodes and
 * edges must be to each other.
 */
import type {
  Blueprint,
  BlueprintEdge,
  BlueprintMetadata,
  BlueprintNode,
  ConcurrencyLimit,
  InputSource,
  LoopPolicy,
  MapPolicy,
  NodeConfig,
  RateLimit,
  RunPolicy,
} from './blueprint.ts'
import { checkGraph } from './check-graph.ts'
import { errors } from './errors.ts'
import { isNodeId, type NodeId, parseFlowId } from './ids.ts'
import {
  flag,
  integer,
  json,
  jsonObject,
  key,
  list,
  mistake,
  number,
  object,
  oneOf,
  prose,
  type Reader,
  record,
  text,
} from './readers.ts'
import type { RetryPolicy } from './retry.ts'

const MOST_NODES = 100_000
const MOST_EDGES = 500_000
const MOST_CHARACTERS = 200

/** Frozen and checked already: checking them again would only cost time. */
const checked = new WeakSet<object>()

export function checkBlueprint(data: unknown): Blueprint {
  if (typeof data === 'object' && data !== null && checked.has(data)) return data as Blueprint
  const blueprint = readBlueprint(data)
  checkGraph(blueprint)
  checked.add(blueprint)
  return blueprint
}

/** A blueprint by its shape alone: for those who look at a graph, also at one that cannot run. */
export function readBlueprint(data: unknown): Blueprint {
  if (typeof data === 'object' && data !== null && checked.has(data)) return data as Blueprint
  return readMembers(data, '')
}

const readFlowId: Reader<string> = (data, field) => {
  try {
    return parseFlowId(data, field)
  } catch {
    throw mistake(field, `not a usable id: ${shown(data)}`, errors.INVALID_ID.hint)
  }
}

const readNodeId: Reader<NodeId> = (data, field) => {
  if (isNodeId(data)) return data
  const hint =
    'Use 1 to 128 characters, without blanks, control characters and # [ ] /; __proto__ and the like are reserved.'
  throw mistake(field, `not a usable node id: ${shown(data)}`, hint)
}

/** Names are looked up in the registry and nowhere else, so that any text will do. */
const readName = text({ most: MOST_CHARACTERS })

const readMetadata = object<BlueprintMetadata>({ version: readFlowId, description: prose })

const readRetry = object<RetryPolicy>({
  attempts: integer({ least: 1 }),
  delayMs: number({ least: 0 }),
  factor: number({ least: 1 }),
  maxDelayMs: number({ least: 0 }),
  jitter: number({ least: 0, most: 1 }),
  errors: list(readName),
})

const readMap = object<MapPolicy>({ concurrency: integer({ least: 1 }), maxFailures: integer({ least: 0 }) })

const readLoop = object<LoopPolicy>({ maxVisits: integer({ least: 1 }) }, ['maxVisits'])

const readPath = list(key, { most: 64 })

const readSource: Reader<InputSource> = (data, field) => {
  const source = object<Record<'node' | 'run' | 'context' | 'value' | 'path', unknown>>({
    node: readNodeId,
    run: (value, place) => {
      if (value === true) return value
      throw mistake(place, 'can only be true', 'Write `run: true`, with a `path` into the input of the run.')
    },
    context: key,
    value: json,
    path: readPath,
  })(data, field)
  const origins = ['node', 'run', 'context', 'value'].filter((origin) => Object.hasOwn(source, origin))
  if (origins.length !== 1) {
    const message = origins.length === 0 ? 'names no source' : `names several sources: ${origins.join(', ')}`
    throw mistake(field, message, 'Give exactly one of `node`, `run`, `context` and `value`.')
  }
  if (origins[0] === 'value' && Object.hasOwn(source, 'path')) {
    throw mistake(`${field}.path`, 'leads into a value that is written right here', 'Write the part that you mean.')
  }
  return source as InputSource
}

const readConfigMembers = object<NodeConfig>({
  joinStrategy: oneOf('all', 'any'),
  anyFailure: oneOf('cancel', 'ignore'),
  cancelLosers: flag,
  retry: readRetry,
  timeoutMs: integer({ least: 1 }),
  maxLostLeases: integer({ least: 0 }),
  fallback: readNodeId,
  map: readMap,
  reads: list(key),
  inputs: record(readSource),
})

const readConfig: Reader<NodeConfig> = (data, field) => {
  const config = readConfigMembers(data, field)
  if (config.joinStrategy === 'any') return config
  for (const member of ['anyFailure', 'cancelLosers'] as const) {
    if (config[member] === undefined) continue
    throw mistake(`${field}.${member}`, 'means nothing to a join of all', "Add `joinStrategy: 'any'`, or leave it out.")
  }
  return config
}

/** One node by itself. The builder asks too, so that a mistake shows at the line that made it. */
export const readNode: Reader<BlueprintNode> = object<BlueprintNode>(
  { id: readNodeId, uses: readName, params: jsonObject, config: readConfig },
  ['id', 'uses'],
)

/** One edge by itself. */
export const readEdge: Reader<BlueprintEdge> = object<BlueprintEdge>(
  {
    source: readNodeId,
    target: readNodeId,
    id: readName,
    action: readName,
    condition: readName,
    transform: readName,
    loop: readLoop,
  },
  ['source', 'target'],
)

const MOST_LIMITS = 8
/** A limiter keeps the instants of as many starts. */
const HIGHEST_RATE = 10_000
const concurrencyShape = { limit: integer({ least: 1 }), key: readKeyPath }
const rateShape = {
  limit: integer({ least: 1, most: HIGHEST_RATE }),
  periodMs: integer({ least: 1 }),
  key: readKeyPath,
}

const readPolicy = object<RunPolicy>({
  failFast: flag,
  deadlineMs: integer({ least: 1 }),
  concurrency: limits(object<ConcurrencyLimit>(concurrencyShape, ['limit'])),
  rate: limits(object<RateLimit>(rateShape, ['limit', 'periodMs'])),
})

const headShape = {
  id: readFlowId,
  metadata: readMetadata,
  policy: readPolicy,
}

/** All but nodes and edges. */
export const readHead: Reader<Omit<Blueprint, 'nodes' | 'edges'>> = object(headShape, ['id'])

const readMembers = object<Blueprint>(
  { ...headShape, nodes: list(readNode, { most: MOST_NODES }), edges: list(readEdge, { most: MOST_EDGES }) },
  ['id', 'nodes', 'edges'],
)

function readKeyPath(data: unknown, field: string): readonly string[] {
  const path = readPath(data, field)
  if (path.length > 0) return path
  throw mistake(field, 'leads nowhere', "Write the members that lead to the key: `key: ['customer', 'id']`.")
}

/** Two limits with one key would be one limiter that is told two things. */
function limits<Limit extends ConcurrencyLimit>(read: Reader<Limit>): Reader<readonly Limit[]> {
  const readAll = list(read, { most: MOST_LIMITS })
  return (data, field) => {
    const all = readAll(data, field)
    const seen = new Set<string>()
    all.forEach(({ key }, index) => {
      const name = JSON.stringify(key ?? null)
      if (seen.has(name)) throw mistake(`${field}[${index}]`, 'limits by the same key again', 'Keep the lower limit.')
      seen.add(name)
    })
    return all
  }
}

function shown(data: unknown): string {
  if (typeof data !== 'string') return data === null ? 'null' : typeof data
  return JSON.stringify(data.length > 64 ? `${data.slice(0, 61)}...` : data)
}
