/**
 * The loops of a blueprint. A loop is declared by the edges that lead back to one node, its *header*; its *body* is what
 * lies on the ways from the header to where those edges come from.
 *
 * The header is the only way in, so that it is always clear which visit something belongs to. Two loops of that kind
 * are apart or one lies within the other. Pure; the cost is that of the bodies, each node in at most `MOST_NESTED`.
 */
import type { Blueprint, BlueprintEdge } from './blueprint.ts'
import type { NodeId } from './ids.ts'
import { mistake } from './readers.ts'

export interface Loop {
  readonly header: NodeId
  /** The header among them. */
  readonly body: ReadonlySet<NodeId>
}

/** By node: the loops that it is in, outermost first. Nodes outside of all loops are not listed. */
export type LoopsOfNodes = ReadonlyMap<NodeId, readonly Loop[]>

const MOST_NESTED = 8
const NO_LOOPS: LoopsOfNodes = new Map()

/** @param blueprint without the edges that lead back it has no cycle */
export function findLoops({ nodes, edges }: Pick<Blueprint, 'nodes' | 'edges'>): LoopsOfNodes {
  const ends = new Map<NodeId, NodeId[]>()
  for (const { source, target, loop } of edges) {
    if (loop === undefined) continue
    const sources = ends.get(target)
    if (sources === undefined) ends.set(target, [source])
    else sources.push(source)
  }
  if (ends.size === 0) return NO_LOOPS

  const before = new Map<NodeId, NodeId[]>(nodes.map(({ id }) => [id, []]))
  const starts = new Set<NodeId>(nodes.map(({ id }) => id))
  for (const { source, target, loop } of edges) {
    before.get(target)?.push(source)
    if (loop === undefined) starts.delete(target)
  }
  const depths = new Map<NodeId, number>()
  const loops: Loop[] = []
  for (const [header, sources] of ends) {
    const body = bodyOf(header, sources, before)
    for (const id of body) {
      if (id !== header && starts.has(id)) throw otherWayIn(header, body, edges)
      const depth = (depths.get(id) ?? 0) + 1
      depths.set(id, depth)
      if (depth > MOST_NESTED) throw tooDeep(header, edges)
    }
    loops.push({ header, body })
  }

  const byNode = new Map<NodeId, Loop[]>()
  for (const loop of loops.sort((left, right) => right.body.size - left.body.size)) {
    for (const id of loop.body) {
      const chain = byNode.get(id)
      if (chain === undefined) byNode.set(id, [loop])
      else chain.push(loop)
    }
  }
  return byNode
}

/** Walking back from where its edges come from, as far as the header. A second way in leads to a start of the graph. */
function bodyOf(
  header: NodeId,
  sources: readonly NodeId[],
  before: ReadonlyMap<NodeId, readonly NodeId[]>,
): Set<NodeId> {
  const body = new Set<NodeId>([header])
  const open = [...sources]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (body.has(id)) continue
    body.add(id)
    for (const source of before.get(id) ?? []) open.push(source)
  }
  return body
}

/** Says which edge is wrong: one that does not lead back at all, or one that leads past the header into the body. */
function otherWayIn(header: NodeId, body: ReadonlySet<NodeId>, edges: readonly BlueprintEdge[]): Error {
  const behind = reachableFrom(header, edges)
  const astray = edges.findIndex(({ source, target, loop }) => {
    return loop !== undefined && target === header && !behind.has(source)
  })
  if (astray !== -1) {
    const { source } = edges[astray] as BlueprintEdge
    const hint = `Leave out \`loop\`, or let it come from a node behind ${header}.`
    return mistake(`edges[${astray}].loop`, `does not lead back: no way leads from ${header} to ${source}`, hint)
  }
  const entry = edges.findIndex(({ source, target }) => {
    return target !== header && body.has(target) && behind.has(target) && !behind.has(source)
  })
  const { source, target } = edges[entry] as BlueprintEdge
  const hint = `A loop begins at one node only: lead the edge to ${header}, or begin the loop at a node before both.`
  return mistake(`edges[${entry}]`, `leads past ${header} into its loop: ${source} -> ${target}`, hint)
}

function reachableFrom(header: NodeId, edges: readonly BlueprintEdge[]): Set<NodeId> {
  const after = new Map<NodeId, NodeId[]>()
  for (const { source, target, loop } of edges) {
    if (loop !== undefined) continue
    const targets = after.get(source)
    if (targets === undefined) after.set(source, [target])
    else targets.push(target)
  }
  const reached = new Set<NodeId>()
  const open = [header]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    for (const target of after.get(id) ?? []) open.push(target)
  }
  return reached
}

function tooDeep(header: NodeId, edges: readonly BlueprintEdge[]): Error {
  const place = edges.findIndex(({ target, loop }) => loop !== undefined && target === header)
  return mistake(
    `edges[${place}].loop`,
    `loops are nested deeper than ${MOST_NESTED}`,
    'Run the inner loops in one node.',
  )
}
