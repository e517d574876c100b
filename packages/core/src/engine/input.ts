/** What a node's function gets as its input, from what reached its instance. */
import type { NodeConfig } from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import type { JsonValue } from '../model/json.ts'
import type { Claim, ClaimedArrival } from '../ports/claim.ts'
import { transformed } from './edge-code.ts'
import type { Environment } from './environment.ts'
import type { GraphEdge, GraphNode } from './graph.ts'
import { inputArrivals } from './joins.ts'
import { asPlainObject, newTable } from './table.ts'
import { backEdgeOf } from './turn.ts'

type Codes = Pick<Environment, 'serializer'>

/**
 * The item of a map; else what `inputs` maps; else, where a loop begins again, what the edge that led back brought; else
 * the run's input where nothing precedes; else the one predecessor's output; else an object of outputs by predecessor.
 */
export function inputOf(node: GraphNode, claim: Claim, codes: Codes): unknown {
  if (claim.item !== undefined) return codes.serializer.decode(claim.item)
  const { inputs } = node.config
  if (inputs !== undefined) return mappedInput(node, inputs, claim, codes)
  const back = backEdgeOf(node, claim)
  if (back !== undefined) return broughtBack(back, claim, codes)
  if (node.incoming.length === 0) return claim.input === undefined ? undefined : codes.serializer.decode(claim.input)
  const arrivals = arrivalsForInput(node, claim)
  if (node.incoming.length === 1 || node.rule !== 'all') {
    const [first] = arrivals
    return first === undefined ? undefined : broughtBy(node, first, codes)
  }
  return joinedInput(node, arrivals, codes)
}

function broughtBack(back: GraphEdge, claim: Claim, codes: Codes): unknown {
  const arrival = claim.arrivals.find(({ edge }) => edge === back.id)
  return arrival === undefined ? undefined : decoded(back, arrival, codes)
}

/** In the blueprint's order, not in that of arrival: the same set gives the same input. */
function joinedInput(node: GraphNode, arrivals: readonly ClaimedArrival[], codes: Codes): { [node: string]: unknown } {
  const input = newTable()
  const byEdge = arrivals.length < 8 ? undefined : new Map(arrivals.map((arrival) => [arrival.edge, arrival]))
  for (const edge of node.incoming) {
    const arrival =
      byEdge === undefined ? arrivals.find((candidate) => candidate.edge === edge.id) : byEdge.get(edge.id)
    if (arrival !== undefined) input[edge.source] = decoded(edge, arrival, codes)
  }
  return asPlainObject(input)
}

/** The same, encoded: for a map, whose items go straight on into the store. */
export function rawInputOf(node: GraphNode, claim: Claim, codes: Codes): JsonValue | undefined {
  const input = inputOf(node, claim, codes)
  if (!Array.isArray(input)) return undefined
  return input.map((item, index) => codes.serializer.encode(item ?? null, `input[${index}]`))
}

function arrivalsForInput(node: GraphNode, claim: Claim): readonly ClaimedArrival[] {
  // What reached an only predecessor's successor is one success, or the node would not run.
  if (claim.arrivals.length === 1) return claim.arrivals
  return inputArrivals(node.isFallback ? 'all' : node.rule, claim.arrivals)
}

function mappedInput(node: GraphNode, inputs: NonNullable<NodeConfig['inputs']>, claim: Claim, codes: Codes): unknown {
  const members: [string, unknown][] = Object.entries(inputs).map(([member, source]) => {
    if ('value' in source) return [member, structuredClone(source.value)]
    return [member, walk(sourceValue(node, source, claim, codes), source.path ?? [])]
  })
  return Object.fromEntries(members.filter(([, value]) => value !== undefined))
}

type NamedSource = Exclude<NonNullable<NodeConfig['inputs']>[string], { value: JsonValue }>

function sourceValue(node: GraphNode, source: NamedSource, claim: Claim, codes: Codes): unknown {
  const { serializer } = codes
  if ('run' in source) return claim.input === undefined ? undefined : serializer.decode(claim.input)
  if ('context' in source) {
    const entry = Object.hasOwn(claim.context, source.context) ? claim.context[source.context] : undefined
    return entry === undefined ? undefined : serializer.decode(entry.value)
  }
  const arrival = claim.arrivals.find(
    (candidate) => candidate.fate === 'succeeded' && sourceOf(node, candidate) === source.node,
  )
  return arrival === undefined ? undefined : broughtBy(node, arrival, codes)
}

function sourceOf(node: GraphNode, arrival: ClaimedArrival): string {
  return edgeOf(node, arrival)?.source ?? arrival.from
}

function broughtBy(node: GraphNode, arrival: ClaimedArrival, codes: Codes): unknown {
  return decoded(edgeOf(node, arrival), arrival, codes)
}

function edgeOf({ incoming, heads }: GraphNode, { edge }: ClaimedArrival): GraphEdge | undefined {
  return incoming.find(({ id }) => id === edge) ?? heads?.backEdges.find(({ id }) => id === edge)
}

function decoded(edge: GraphEdge | undefined, { output }: ClaimedArrival, { serializer }: Codes): unknown {
  const value = output === undefined ? undefined : serializer.decode(output)
  return edge === undefined ? value : transformed(edge, value)
}

export function walk(value: unknown, path: readonly string[]): unknown {
  let place = value
  for (const member of path) {
    if (place === undefined || place === null) return undefined
    if (place instanceof Map) place = place.get(member)
    else if (typeof place === 'object' && Object.hasOwn(place, member))
      place = (place as Record<string, unknown>)[member]
    else if (typeof place === 'object') return undefined
    else
      throw new BatonError('INVALID_VALUE', {
        field: `input.${path.join('.')}`,
        message: `no member ${member} in a ${typeof place}`,
      })
  }
  return place
}
