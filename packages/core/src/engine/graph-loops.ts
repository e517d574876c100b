/**
 * The loops of a graph, made ready for the engine.
 *
 * How does anybody know that a visit has settled? By a join, the *turn*: each node of the body arrives there when it has
 * settled, each edge that leads back when it is taken or not, and so does each loop within this one when it has ended.
 * Where the body is a straight line no join is needed: its last node settles last.
 */
import type { Blueprint } from '../model/blueprint.ts'
import type { NodeId } from '../model/ids.ts'
import { findLoops } from '../model/loops.ts'
import type { GraphEdge } from './graph.ts'

export interface GraphLoop {
  readonly header: NodeId
  /** How many loops its nodes are in at least: 1 for an outermost one. */
  readonly depth: number
  readonly parent: GraphLoop | undefined
  /** The edges that lead back to the header, in the blueprint's order. */
  readonly backEdges: readonly GraphEdge[]
  /** The edges that lead out of it, and of no loop around it. */
  readonly exits: readonly GraphEdge[]
  /** The last node of a body that is a straight line; undefined where the loop turns by a join. */
  readonly last: NodeId | undefined
  /** How many arrivals its turn waits for. */
  readonly awaited: number
}

export interface LoopsOf {
  /** Whether there is one. */
  readonly any: boolean
  /** Outermost first. */
  of(nodeId: NodeId): readonly GraphLoop[]
  between(source: NodeId, target: NodeId, leadsBack: boolean): Pick<GraphEdge, 'loop' | 'shared' | 'leaves'>
  /** Puts an edge where it belongs. */
  note(edge: GraphEdge): void
}

interface Draft extends GraphLoop {
  readonly parent: Draft | undefined
  readonly backEdges: GraphEdge[]
  readonly exits: GraphEdge[]
  last: NodeId | undefined
  awaited: number
}

const NO_LOOPS: readonly Draft[] = []
const OUTSIDE = { loop: undefined, shared: 0, leaves: undefined } as const
const NONE: LoopsOf = { any: false, of: () => NO_LOOPS, between: () => OUTSIDE, note: () => {} }

export function compileLoops(blueprint: Blueprint): LoopsOf {
  const found = findLoops(blueprint)
  if (found.size === 0) return NONE
  const byHeader = new Map<NodeId, Draft>()
  for (const chain of found.values()) {
    chain.forEach(({ header }, place) => {
      if (byHeader.has(header)) return
      const parent = place === 0 ? undefined : byHeader.get((chain[place - 1] as { header: NodeId }).header)
      byHeader.set(header, { header, depth: place + 1, parent, backEdges: [], exits: [], last: undefined, awaited: 0 })
    })
  }
  const chains = new Map<NodeId, readonly Draft[]>()
  for (const [id, chain] of found)
    chains.set(
      id,
      chain.map(({ header }) => byHeader.get(header) as Draft),
    )
  const of = (id: NodeId) => chains.get(id) ?? NO_LOOPS

  findLines(blueprint, of, [...byHeader.values()])
  return {
    any: true,
    of,
    between(source, target, leadsBack) {
      const from = of(source)
      const to = of(target)
      let shared = 0
      while (shared < to.length && from[shared] === to[shared]) shared += 1
      return { loop: leadsBack ? byHeader.get(target) : undefined, shared, leaves: from[shared] }
    },
    note(edge) {
      byHeader.get(edge.loop?.header ?? '')?.backEdges.push(edge)
      byHeader.get(edge.leaves?.header ?? '')?.exits.push(edge)
    },
  }
}

/** Counts what each turn waits for, and finds the loops that can do without one. */
function findLines({ nodes, edges }: Blueprint, of: (id: NodeId) => readonly Draft[], loops: readonly Draft[]): void {
  const crooked = new Set<Draft>()
  for (const { parent } of loops) {
    if (parent === undefined) continue
    parent.awaited += 1
    crooked.add(parent)
  }
  for (const { id } of nodes) {
    const loop = of(id).at(-1)
    if (loop !== undefined) loop.awaited += 1
  }
  const entered = new Set<NodeId>()
  for (const { source, target, loop } of edges) {
    const inner = of(target).at(-1)
    if (inner === undefined) continue
    if (loop !== undefined) {
      inner.awaited += 1
      if (inner.last !== undefined && inner.last !== source) crooked.add(inner)
      inner.last = source
    } else if (target !== inner.header) {
      if (entered.has(target)) crooked.add(inner)
      entered.add(target)
    }
  }
  for (const loop of crooked) loop.last = undefined
}

/** How many loops surround what leads to the node: a header is entered from outside of its loop. */
export function entryDepth(place: NodeId, loops: readonly GraphLoop[]): number {
  return loops.at(-1)?.header === place ? loops.length - 1 : loops.length
}
