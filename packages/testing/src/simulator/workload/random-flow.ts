/** A random flow, put together from features, and beside it what an oracle needs to know of its nodes. */
import { BatonError, createFlow, type Flow, type MapPolicy, type NodeConfig } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Feature, Operation } from './feature.ts'
import { actions, conditions } from './features/conditions.ts'
import { limits, limitsOf, NO_LIMITS, type SimLimits } from './features/limits.ts'
import { loops } from './features/loops.ts'
import { codeOf, type Witness } from './program.ts'

export interface SimNode {
  readonly id: string
  readonly operations: readonly Operation[]
  readonly config: NodeConfig
  readonly map: MapPolicy | undefined
  readonly standsInFor: string | undefined
}

export interface SimFlow {
  readonly flow: Flow
  readonly version: string | undefined
  readonly nodes: ReadonlyMap<string, SimNode>
  /** Its result follows from the seed, whatever happens first. */
  readonly isDetermined: boolean
  /** It has a limit for each value of a member of its input. */
  readonly isKeyed: boolean
}

export interface RandomFlowOptions {
  readonly seed: number
  readonly id: string
  readonly version?: string
  readonly maxNodes: number
  readonly features: readonly Feature[]
  /** That its nodes may start runs of. */
  readonly children: readonly SimFlow[]
  readonly isDetermined: boolean
  readonly deadlineMs: number | undefined
  readonly witness: Witness
}

export function randomSimFlow(options: RandomFlowOptions): SimFlow {
  const { seed, id, version, maxNodes, features, isDetermined, deadlineMs } = options
  const dice = new Dice(hash(`${seed} ${nameOf(id, version)}`))
  const own = ownLimits(options)
  const builder = new Builder(options, dice, own)
  const failFast = !isDetermined && dice.happens(0.5)
  const head = {
    failFast,
    ...own.options,
    ...(version === undefined ? {} : { version }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
  let flow: Flow = createFlow(id, head)
  // Small flows find most, large ones find the rest.
  const count = 1 + dice.below(dice.pick([3, 6, 10, maxNodes]))
  const maps = new Set<number>()
  for (let node = 0; node < count; node++) {
    const isMap = node > 0 && dice.happens(0.12)
    if (isMap) maps.add(node)
    flow = builder.addNode(flow, `n${node}`, isMap, dice.happens(0.15))
  }
  for (let node = 1; node < count; node++) {
    for (const source of sourcesOf(node, maps.has(node), dice)) {
      flow = builder.addEdge(flow, `n${source}`, `n${node}`, maps.has(node))
    }
  }
  if (features.includes(loops)) flow = withLoops(flow, { count, maps, dice })
  return { flow, version, nodes: builder.nodes, isDetermined, isKeyed: own.isKeyed }
}

function ownLimits({ seed, id, features }: RandomFlowOptions): SimLimits {
  const dice = new Dice(hash(`${seed} ${id} limits`))
  return features.includes(limits) && dice.happens(0.6) ? limitsOf(dice) : NO_LIMITS
}

interface LoopDraft {
  readonly count: number
  readonly maps: ReadonlySet<number>
  readonly dice: Dice
}

/** Leads some edges back. Most ways back make no loop that could be told from others: then the flow stays as it is. */
function withLoops(flow: Flow, { count, maps, dice }: LoopDraft): Flow {
  let looped = flow
  for (let tries = 2 + dice.below(6); tries > 0; tries--) {
    const source = dice.below(count)
    const target = dice.happens(0.5) ? dice.below(source + 1) : Math.max(0, source - dice.below(4))
    const condition = dice.happens(0.15) ? {} : dice.pick([actions, conditions]).edge?.(dice)
    const options = {
      id: `n${source}~>n${target}`,
      loop: { maxVisits: 1 + dice.below(4) },
      ...condition,
      ...(maps.has(target) ? { transform: listOf } : {}),
    }
    looped = unlessRefused(looped, (before) => before.edge(`n${source}`, `n${target}`, options))
  }
  return looped
}

function unlessRefused(flow: Flow, change: (flow: Flow) => Flow): Flow {
  try {
    const changed = change(flow)
    changed.toBlueprint()
    return changed
  } catch (error) {
    if (BatonError.is(error, 'INVALID_BLUEPRINT')) return flow
    throw error
  }
}

/** What there is one of: a flow, or a version of it. */
export function nameOf(flowId: string, version: string | undefined): string {
  return version === undefined ? flowId : `${flowId}@${version}`
}

/** A map takes its list from one predecessor. */
function sourcesOf(node: number, isMap: boolean, dice: Dice): ReadonlySet<number> {
  const count = isMap ? 1 : dice.pick([0, 1, 1, 1, 2, 2, 3])
  return new Set(Array.from({ length: count }, () => dice.below(node)))
}

class Builder {
  readonly nodes = new Map<string, SimNode>()
  readonly #options: RandomFlowOptions
  readonly #dice: Dice
  readonly #own: SimLimits
  readonly #features: readonly Feature[]

  constructor(options: RandomFlowOptions, dice: Dice, own: SimLimits) {
    this.#options = options
    this.#dice = dice
    this.#own = own
    this.#features = options.features.filter(({ isRacy }) => !options.isDetermined || isRacy !== true)
  }

  addNode(flow: Flow, id: string, isMap: boolean, hasFallback: boolean): Flow {
    const dice = this.#dice
    const stand = `f${id.slice(1)}`
    const fallback = hasFallback ? { fallback: stand } : {}
    const config: NodeConfig = { ...this.#config(), ...fallback }
    const map = isMap ? { concurrency: 1 + dice.below(4), maxFailures: dice.below(3) } : undefined
    const node = this.#note({ id, operations: this.#operations(), config, map, standsInFor: undefined })
    const code = this.#code(node)
    const next = map === undefined ? flow.node(id, code, config) : flow.map(id, code, { ...config, ...map })
    if (!hasFallback) return next
    const { joinStrategy: _, anyFailure: __, cancelLosers: ___, ...own } = this.#config()
    const substitute = { id: stand, operations: this.#operations(), config: own, map: undefined, standsInFor: id }
    return next.node(stand, this.#code(this.#note(substitute)), own)
  }

  addEdge(flow: Flow, source: string, target: string, toMap: boolean): Flow {
    const options = this.#pickOf('edge', 0.35)?.edge?.(this.#dice) ?? {}
    return flow.edge(source, target, toMap ? { ...options, transform: listOf } : options)
  }

  #note(node: SimNode): SimNode {
    this.nodes.set(node.id, node)
    return node
  }

  #code({ operations }: SimNode) {
    const { seed, id, version, witness } = this.#options
    return codeOf({ seed, operations, witness, of: nameOf(id, version) })
  }

  #config(): NodeConfig {
    // Where the result is determined, no accident may be one too many.
    const first: NodeConfig = this.#options.isDetermined ? { maxLostLeases: 1_000_000, timeoutMs: 1e12 } : {}
    const config = { ...first }
    for (const feature of this.#features) {
      if (feature.config !== undefined && this.#dice.happens(0.3)) Object.assign(config, feature.config(this.#dice))
    }
    return config
  }

  #operations(): readonly Operation[] {
    const count = this.#dice.pick([0, 1, 1, 2, 3])
    return Array.from({ length: count }, (_, index) =>
      this.#pickOf('operation', 1)?.operation?.(this.#dice, index, this.#options.children, this.#own),
    ).filter((operation) => operation !== undefined)
  }

  #pickOf(part: 'operation' | 'edge', chance: number): Feature | undefined {
    const able = this.#features.filter((feature) => feature[part] !== undefined)
    return able.length > 0 && this.#dice.happens(chance) ? this.#dice.pick(able) : undefined
  }
}

/** What a map gets from any output: a list that follows from it. */
export function listOf(output: unknown): readonly number[] {
  const mark = hash(JSON.stringify(output))
  return Array.from({ length: mark % 6 }, (_, index) => index)
}
