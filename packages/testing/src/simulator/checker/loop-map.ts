/**
 * Where the loops of a flow are, worked out from its blueprint alone: the body of a loop is what lies behind its header and
 * from where an edge that leads back can be reached without passing the header.
 */
import type { Blueprint, BlueprintEdge } from '@baton/core'

export interface SimLoop {
  readonly header: string
  /** How many loops its nodes are in at least. */
  readonly depth: number
  readonly body: ReadonlySet<string>
  /** The nodes of which it is the innermost loop. */
  readonly members: readonly string[]
  readonly inner: readonly SimLoop[]
  readonly parent: SimLoop | undefined
  /** In the blueprint's order. */
  readonly backEdges: readonly BlueprintEdge[]
  /** The last node of a body that is one line: then the engine needs no turn. */
  readonly last: string | undefined
}

interface Draft extends SimLoop {
  readonly members: string[]
  readonly inner: Draft[]
  readonly parent: Draft | undefined
}

/** By node: the loops around it, outermost first. */
export function loopMap({ nodes, edges }: Blueprint): ReadonlyMap<string, readonly SimLoop[]> {
  const headers = new Set(edges.flatMap(({ target, loop }) => (loop === undefined ? [] : [target])))
  const bodies = Array.from(headers, (header) => ({ header, body: bodyOf(header, edges) }))
  bodies.sort((left, right) => right.body.size - left.body.size)
  const around = new Map<string, Draft[]>(nodes.map(({ id }) => [id, []]))
  for (const { header, body } of bodies) {
    const parent = around.get(header)?.at(-1)
    const depth = (parent?.depth ?? 0) + 1
    const backEdges = edges.filter(({ target, loop }) => loop !== undefined && target === header)
    const draft = { header, depth, body, members: [], inner: [], parent, backEdges, last: lastOf(header, body, edges) }
    parent?.inner.push(draft)
    for (const id of body) around.get(id)?.push(draft)
  }
  for (const [id, chain] of around) chain.at(-1)?.members.push(id)
  return around
}

function bodyOf(header: string, edges: readonly BlueprintEdge[]): ReadonlySet<string> {
  const ends = edges.flatMap(({ source, target, loop }) => (loop !== undefined && target === header ? [source] : []))
  const behind = reached([header], (id) => edges.flatMap(({ source, target }) => (source === id ? [target] : [])))
  const before = reached(ends, (id) =>
    id === header ? [] : edges.flatMap(({ source, target }) => (target === id ? [source] : [])),
  )
  return new Set([header, ...[...before].filter((id) => behind.has(id))])
}

function reached(from: readonly string[], next: (id: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set(from)
  for (const id of found) for (const other of next(id)) found.add(other)
  return found
}

/** One line: nothing leads back within it but from its end, and each node of it but the first follows one other. */
function lastOf(header: string, body: ReadonlySet<string>, edges: readonly BlueprintEdge[]): string | undefined {
  const within = edges.filter(({ source, target }) => body.has(source) && body.has(target))
  const back = within.filter(({ loop }) => loop !== undefined)
  const [last] = new Set(back.map(({ source }) => source))
  const leadsOn = within.filter(({ loop }) => loop === undefined)
  const isLine =
    back.every(({ source, target }) => source === last && target === header) &&
    leadsOn.every(({ target }) => leadsOn.filter((other) => other.target === target).length === 1)
  return isLine ? last : undefined
}
