/**
 * Random flows for tests that compare: all that a flow can do, put together by chance, and the chance is in the seed.
 *
 * Node code is as random as the graph and just as reproducible: what a node does follows from the seed, its instance
 * and the attempt, never from the order in which things happen. What it reads, and so its output, does follow from the
 * order: two executions that agree on every output have done the same things in the same order.
 */
import {
  BatonError,
  createFlow,
  type EdgeOptions,
  FatalError,
  type Flow,
  type IAsyncContext,
  type MapPolicy,
  type NodeArguments,
  type NodeConfig,
  type NodeReturn,
} from '@baton/core'
import { Dice, hash } from './dice.ts'

export interface RandomFlowOptions {
  /** At most this many nodes, beside fallbacks. Default 10. */
  readonly maxNodes?: number
  /** Whether nodes may sleep, and retries come after a delay. Default true. */
  readonly timed?: boolean
}

export interface RandomFlow {
  readonly seed: number
  readonly flow: Flow
  readonly input: number
}

export function randomFlow(seed: number, { maxNodes = 10, timed = true }: RandomFlowOptions = {}): RandomFlow {
  const dice = new Dice(seed)
  const count = 1 + dice.below(maxNodes)
  const id = `random-${seed}`
  const code = { node: nodeCode(seed, timed), item: itemCode(seed), timed }
  let flow: Flow = createFlow(id, { failFast: dice.happens(0.5) })
  for (let index = 0; index < count; index++) {
    const hasFallback = dice.happens(0.15)
    flow = addNode(flow, code, dice, `n${index}`, hasFallback ? `f${index}` : undefined)
  }
  for (let index = 1; index < count; index++) {
    for (const source of sourcesOf(index, dice)) flow = addEdge(flow, dice, `n${source}`, `n${index}`)
  }
  const input = dice.below(100)
  if (dice.happens(0.5)) for (let tries = dice.below(6); tries > 0; tries--) flow = addLoop(flow, dice, count)
  return { seed, flow, input }
}

/** A way back between two nodes, where that makes a loop; at times one that leads back to the node itself. */
function addLoop(flow: Flow, dice: Dice, count: number): Flow {
  const source = dice.below(count)
  const target = dice.below(source + 1)
  const when: EdgeOptions = dice.pick<EdgeOptions>([
    {},
    { action: 'left' },
    { action: 'left' },
    { condition: ({ output }) => hash(JSON.stringify(output)) % 2 === 0 },
    { condition: ({ output }) => hash(JSON.stringify(output)) % 3 === 0, transform: (output) => ({ back: output }) },
  ])
  const loop = { maxVisits: 1 + dice.below(4) }
  try {
    const looped = flow.edge(`n${source}`, `n${target}`, { id: `n${source}~>n${target}`, ...when, loop })
    looped.toBlueprint()
    return looped
  } catch (error) {
    if (BatonError.is(error, 'INVALID_BLUEPRINT')) return flow
    throw error
  }
}

function addNode(flow: Flow, code: Codes, dice: Dice, id: string, fallback: string | undefined): Flow {
  const config = { ...configOf(dice, code.timed), ...(fallback === undefined ? {} : { fallback }) }
  const next = dice.happens(0.12)
    ? flow.map(id, code.item, { ...config, ...mapPolicy(dice), uses: `${flow.id}/item` })
    : flow.node(id, code.node, { ...config, uses: `${flow.id}/node` })
  return fallback === undefined ? next : next.node(fallback, code.node, { uses: `${flow.id}/node` })
}

function sourcesOf(index: number, dice: Dice): ReadonlySet<number> {
  const sources = new Set<number>()
  const count = dice.pick([0, 1, 1, 1, 2, 2, 3])
  for (let each = 0; each < count; each++) sources.add(dice.below(index))
  return sources
}

function addEdge(flow: Flow, dice: Dice, source: string, target: string): Flow {
  const kind = dice.below(10)
  const transform = dice.happens(0.15) ? { transform: (output: unknown) => ({ moved: output ?? null }) } : {}
  if (kind < 6) return flow.edge(source, target, transform)
  if (kind < 8) return flow.edge(source, target, { action: dice.pick(['left', 'right']), ...transform })
  const wanted = dice.below(2)
  return flow.edge(source, target, {
    condition: ({ output }) => hash(JSON.stringify(output)) % 2 === wanted,
    ...transform,
  })
}

function configOf(dice: Dice, timed: boolean): NodeConfig {
  const join: NodeConfig = dice.pick<NodeConfig>([
    {},
    {},
    { joinStrategy: 'any' },
    { joinStrategy: 'any', anyFailure: 'ignore' },
    { joinStrategy: 'any', anyFailure: 'ignore', cancelLosers: true },
  ])
  const attempts = dice.pick([1, 1, 2, 3])
  const retry = attempts === 1 ? {} : { retry: { attempts, delayMs: dice.pick(timed ? [0, 3, 7] : [0]), jitter: 0 } }
  const reads = dice.happens(0.3) ? { reads: ['count', 'shared'] } : {}
  return { ...join, ...retry, ...reads }
}

function mapPolicy(dice: Dice): MapPolicy {
  return { concurrency: 1 + dice.below(4), maxFailures: dice.below(3) }
}

interface Codes {
  readonly timed: boolean
  readonly node: Code
  readonly item: Code
}

type Code = (args: NodeArguments) => NodeReturn<unknown> | Promise<NodeReturn<unknown>>

/** The item code of a map: few failures, no context. */
function itemCode(seed: number): Code {
  return ({ input, instanceId, attempt, itemIndex }) => {
    const dice = new Dice(hash(`${seed} ${instanceId} ${attempt}`))
    if (dice.happens(0.2)) throw new Error(`item ${itemIndex} fails`)
    return { output: { item: input ?? null, itemIndex: itemIndex ?? null } }
  }
}

function nodeCode(seed: number, timed: boolean): Code {
  return (args) => {
    const dice = new Dice(hash(`${seed} ${args.instanceId} ${args.attempt}`))
    if (dice.happens(0.08)) throw new Error(`${args.instanceId} fails at once`)
    const list = dice.happens(0.5)
    if (dice.happens(0.35))
      return { output: outputOf(args, list, 'plain'), action: dice.pick(['left', 'right', 'none']) }
    return busyCode(args, dice, { list, timed })
  }
}

async function busyCode(
  args: NodeArguments,
  dice: Dice,
  { list, timed }: { readonly list: boolean; readonly timed: boolean },
): Promise<NodeReturn<unknown>> {
  const { context, instanceId } = args
  const seen = await context.get('count')
  for (let writes = dice.below(3); writes > 0; writes--) await write(context, dice, instanceId)
  if (dice.happens(0.2)) {
    await args.step(`step of ${instanceId}`, async (step) => {
      await step.context.increment('steps', 1)
      return dice.below(10)
    })
  }
  if (dice.happens(0.08) && timed) await args.sleep(1 + dice.below(9))
  if (dice.happens(0.12)) throw new Error(`${instanceId} fails late`)
  if (dice.happens(0.04)) throw new FatalError(`${instanceId} fails for good`)
  return { output: outputOf(args, list, seen ?? null), action: dice.pick(['left', 'right', 'none']) }
}

function outputOf({ input, nodeId }: NodeArguments, list: boolean, seen: unknown): unknown {
  const mark = hash(JSON.stringify(input)) % 1_000
  return list ? [nodeId, mark, seen] : { nodeId, mark, seen }
}

async function write(context: IAsyncContext, dice: Dice, instanceId: string): Promise<void> {
  switch (dice.below(6)) {
    case 0:
      return context.increment('count', 1)
    case 1:
      return context.append('log', [instanceId])
    case 2:
      return context.set('shared', instanceId)
    case 3:
      return context.merge('by', { [instanceId]: dice.below(9) })
    case 4:
      return context.set('tree', dice.below(9), { path: ['branch', instanceId] })
    default:
      return context.delete('tree', { path: ['branch'] })
  }
}
