/**
 * What nodes and edges must be to each other so that a run can end: ids that tell them apart, edges that lead
 * somewhere, no way back but declared loops, fallbacks that stand in for one node. Linear in the size of the graph, and without recursion,
 * so that a long line of nodes is as good as any other graph.
 */
import { type Blueprint, type BlueprintEdge, edgeIdOf } from './blueprint.ts'
import type { EdgeId, NodeId } from './ids.ts'
import { findLoops } from './loops.ts'
import { nearestName } from './nearest.ts'
import { mistake } from './readers.ts'

export function checkGraph({ nodes, edges }: Blueprint): void {
  if (nodes.length === 0) throw mistake('nodes', 'is empty', 'A flow has at least one node.')
  const places = new Map<NodeId, number>()
  nodes.forEach(({ id }, place) => {
    addNodeId(places, id, place)
  })
  const edgePlaces = new Map<EdgeId, number>()
  edges.forEach((edge, place) => {
    addEdge(edgePlaces, edge, place, places)
  })
  checkFallbacks(nodes, edges, places)
  checkInputs(nodes, edges)
  // A graph without a way back has a start node, so that nothing is left to check for that.
  checkCycles(nodes, edges)
  findLoops({ nodes, edges })
}

/** Notes the place of a node id, or refuses it. The builder does the same, one call at a time. */
export function addNodeId(places: Map<NodeId, number>, id: NodeId, place: number): void {
  const taken = places.get(id)
  if (taken !== undefined) {
    throw mistake(
      `nodes[${place}].id`,
      `nodes[${taken}] is called ${JSON.stringify(id)} too`,
      'Give each node its own id.',
    )
  }
  places.set(id, place)
}

/** Notes the place of an edge, or refuses it. */
export function addEdge(
  edgePlaces: Map<EdgeId, number>,
  edge: BlueprintEdge,
  place: number,
  nodes: ReadonlyMap<NodeId, unknown>,
): void {
  const field = `edges[${place}]`
  for (const end of ['source', 'target'] as const) {
    if (nodes.has(edge[end])) continue
    const nearest = nearestName(edge[end], nodes.keys())
    const hint =
      nearest === undefined ? 'Add the node first.' : `Did you mean ${JSON.stringify(nearest)}? Or add the node.`
    throw mistake(`${field}.${end}`, `there is no node ${JSON.stringify(edge[end])}`, hint)
  }
  if (edge.source === edge.target && edge.loop === undefined) {
    throw mistake(`${field}.target`, `leads back to where it comes from: ${edge.source} -> ${edge.target}`, NO_LOOPS)
  }
  const id = edgeIdOf(edge)
  // `[7]` is how items of a map arrive, and `node!` how a failure arrives at its fallback.
  if (id.startsWith('[') || id.endsWith('!')) {
    const hint = 'Give the edge an `id` that does not start with [ and does not end with !.'
    throw mistake(`${field}.id`, `not a usable edge id: ${JSON.stringify(id)}`, hint)
  }
  const taken = edgePlaces.get(id)
  if (taken !== undefined) {
    const hint = 'Give one of the two an `id` of its own, or another `action`.'
    throw mistake(edge.id === undefined ? field : `${field}.id`, `edges[${taken}] is called ${id} too`, hint)
  }
  edgePlaces.set(id, place)
}

function checkFallbacks(
  nodes: Blueprint['nodes'],
  edges: Blueprint['edges'],
  places: ReadonlyMap<NodeId, number>,
): void {
  /** By fallback: the place of the node that it stands in for. */
  const standIns = new Map<NodeId, number>()
  nodes.forEach(({ id, config }, place) => {
    const fallback = config?.fallback
    if (fallback === undefined) return
    const field = `nodes[${place}].config.fallback`
    const stand = nodes[places.get(fallback) ?? -1]
    if (stand === undefined) {
      const nearest = nearestName(fallback, places.keys())
      const hint =
        nearest === undefined ? 'Add the node first.' : `Did you mean ${JSON.stringify(nearest)}? Or add the node.`
      throw mistake(field, `there is no node ${JSON.stringify(fallback)}`, hint)
    }
    if (fallback === id) throw mistake(field, 'is the node itself', 'To try the same again, set `retry`.')
    if (stand.config?.fallback !== undefined) {
      throw mistake(field, `${fallback} has a fallback of its own`, 'One fallback in a row; give it `retry` instead.')
    }
    const other = standIns.get(fallback)
    if (other !== undefined) {
      throw mistake(
        field,
        `${fallback} stands in for nodes[${other}] already`,
        'Give each node a fallback node of its own.',
      )
    }
    standIns.set(fallback, place)
  })
  edges.forEach((edge, place) => {
    for (const end of ['source', 'target'] as const) {
      if (!standIns.has(edge[end])) continue
      const hint = 'Remove the edge: a fallback gets the input, and follows the edges, of the node it stands in for.'
      throw mistake(`edges[${place}].${end}`, `${edge[end]} is a fallback, and has no edges of its own`, hint)
    }
  })
}

function checkInputs(nodes: Blueprint['nodes'], edges: Blueprint['edges']): void {
  if (nodes.every(({ config }) => config?.inputs === undefined)) return
  const predecessors = new Map<NodeId, Set<NodeId>>(nodes.map(({ id }) => [id, new Set()]))
  for (const { source, target } of edges) predecessors.get(target)?.add(source)
  // A fallback gets what the node that it stands in for would have got.
  for (const { id, config } of nodes) {
    if (config?.fallback !== undefined) predecessors.set(config.fallback, predecessors.get(id) ?? new Set())
  }
  nodes.forEach(({ id, config }, place) => {
    for (const [member, source] of Object.entries(config?.inputs ?? {})) {
      const near = predecessors.get(id)
      if (!('node' in source) || near?.has(source.node)) continue
      const field = `nodes[${place}].config.inputs.${member}.node`
      const hint =
        near === undefined || near.size === 0
          ? `${id} has no predecessor: take it from the run's input with \`run: true\`.`
          : `Use one of ${[...near].slice(0, 10).join(', ')}, or pass it on through the context.`
      throw mistake(field, `${source.node} is no direct predecessor of ${id}`, hint)
    }
  })
}

function checkCycles(nodes: Blueprint['nodes'], edges: Blueprint['edges']): void {
  const missing = new Map<NodeId, number>(nodes.map(({ id }) => [id, 0]))
  const targets = new Map<NodeId, NodeId[]>(nodes.map(({ id }) => [id, []]))
  for (const { source, target, loop } of edges) {
    if (loop !== undefined) continue
    missing.set(target, (missing.get(target) ?? 0) + 1)
    targets.get(source)?.push(target)
  }
  // Taking away nodes that nothing precedes leaves those on a cycle and those behind one.
  const free = nodes.map(({ id }) => id).filter((id) => missing.get(id) === 0)
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    missing.delete(id)
    for (const target of targets.get(id) ?? []) {
      const left = (missing.get(target) ?? 0) - 1
      missing.set(target, left)
      if (left === 0) free.push(target)
    }
  }
  if (missing.size === 0) return
  const path = cycleAmong(
    missing,
    edges.filter(({ loop }) => loop === undefined),
  )
  const closing = edges.findIndex(
    ({ source, target, loop }) => loop === undefined && source === path.at(-1) && target === path[0],
  )
  throw mistake(`edges[${closing}]`, `closes a cycle: ${shownPath([...path, path[0] as NodeId])}`, NO_LOOPS)
}

const NO_LOOPS = 'To repeat nodes, declare the edge that leads back: give it `loop: { maxVisits }`.'

/** Each of these nodes has a predecessor among them, so that whoever walks back comes round. */
function cycleAmong(left: ReadonlyMap<NodeId, unknown>, edges: Blueprint['edges']): NodeId[] {
  const before = new Map<NodeId, NodeId>()
  for (const { source, target } of edges) if (left.has(source) && !before.has(target)) before.set(target, source)
  const met = new Set<NodeId>()
  let at = [...left.keys()][0] as NodeId
  for (; !met.has(at); at = before.get(at) as NodeId) met.add(at)
  const backwards = [at]
  for (let id = before.get(at) as NodeId; id !== at; id = before.get(id) as NodeId) backwards.push(id)
  const path = backwards.reverse()
  // Told from the node that comes first in the blueprint, whichever the walk ended at.
  const members = new Set(path)
  const first = [...left.keys()].find((id) => members.has(id)) as NodeId
  const turn = path.indexOf(first)
  return [...path.slice(turn), ...path.slice(0, turn)]
}

function shownPath(path: readonly NodeId[]): string {
  const shown = path.length > 12 ? [...path.slice(0, 6), `(${path.length - 12} more)`, ...path.slice(-6)] : path
  return shown.join(' -> ')
}
