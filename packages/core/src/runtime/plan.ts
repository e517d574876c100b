/**
 * A graph as a `PlainRun` wants it: nodes are numbers, joins are counters. Which nodes may go that way is decided here;
 * all the others are the machine's.
 */
import type { Graph, GraphNode } from '../engine/graph.ts'
import { defaults } from '../model/blueprint.ts'

export interface Plan {
  readonly graph: Graph
  readonly nodes: readonly PlanNode[]
  readonly starts: readonly PlanNode[]
  /** How many arrivals each node waits for, by number. */
  readonly awaited: readonly number[]
  readonly results: readonly PlanNode[]
}

export interface PlanNode {
  readonly number: number
  readonly node: GraphNode
  /** What it needs and what it does can be told by counting. */
  readonly plain: boolean
  readonly timeoutMs: number
  /** One per edge. */
  readonly targets: readonly PlanNode[]
  readonly sources: readonly PlanNode[]
  /** Its input is an object of outputs by predecessor. */
  readonly isJoin: boolean
}

const plans = new WeakMap<Graph, Plan>()

export function planOf(graph: Graph): Plan {
  let plan = plans.get(graph)
  if (plan === undefined) {
    plan = toPlan(graph)
    plans.set(graph, plan)
  }
  return plan
}

function toPlan(graph: Graph): Plan {
  const numbers = new Map([...graph.nodes.keys()].map((id, number) => [id, number]))
  const nodes = [...graph.nodes.values()].map((node, number) => ({
    number,
    node,
    plain: isPlain(node, graph),
    timeoutMs: node.config.timeoutMs ?? defaults.nodeTimeoutMs,
    targets: [] as PlanNode[],
    sources: [] as PlanNode[],
    isJoin: node.incoming.length > 1,
  }))
  const at = (id: string) => nodes[numbers.get(id) as number] as (typeof nodes)[number]
  for (const each of nodes) {
    if (each.node.isFallback) continue
    each.targets.push(...each.node.outgoing.map(({ target }) => at(target)))
    each.sources.push(...each.node.incoming.map(({ source }) => at(source)))
  }
  const results = nodes.filter(({ node }) => node.resultOf !== undefined && !node.isFallback)
  return {
    graph,
    nodes,
    starts: graph.starts.map(at),
    awaited: nodes.map(({ node }) => node.incoming.length),
    results,
  }
}

/** Runs once all its predecessors have succeeded, on nothing but their outputs, and so do all that follow it. */
function isPlain(node: GraphNode, graph: Graph): boolean {
  const { config } = node
  return (
    node.plainArrivals !== undefined &&
    node.losers.length === 0 &&
    node.loops.length === 0 &&
    !node.isFallback &&
    node.rule === 'all' &&
    config.map === undefined &&
    config.inputs === undefined &&
    node.needs.reads === undefined &&
    node.incoming.every(({ transform }) => transform === undefined) &&
    node.outgoing.every(({ target }) => graph.nodes.get(target)?.rule === 'all')
  )
}
