/** A flow as the referee sees it: its nodes, the edges around each, its loops, and what an instance id says. */
import type { BlueprintEdge, BlueprintNode, Flow } from '@baton/core'
import { loopMap, type SimLoop } from './loop-map.ts'

export interface Place {
  readonly node: BlueprintNode
  /** Itself, or of a fallback the node that it stands in for. */
  readonly standsFor: string
  /** Those that lead back left out. */
  readonly incoming: readonly BlueprintEdge[]
  readonly outgoing: readonly BlueprintEdge[]
  /** Outermost first. */
  readonly loops: readonly SimLoop[]
}

/** Where an instance is: a node, at a visit of each loop around it. */
export interface Spot {
  readonly node: string
  readonly visits: readonly number[]
  readonly isItem: boolean
  readonly isTurn: boolean
}

export class Layout {
  readonly flow: Flow
  readonly places: ReadonlyMap<string, Place>
  readonly edges: readonly BlueprintEdge[]
  /** Those that are in no other. */
  readonly outermost: readonly SimLoop[]
  readonly #spots = new Map<string, Spot>()

  constructor(flow: Flow) {
    this.flow = flow
    const blueprint = flow.toBlueprint()
    const { nodes, edges } = blueprint
    const loops = loopMap(blueprint)
    const standsFor = new Map(
      nodes.flatMap(({ id, config }) => (config?.fallback === undefined ? [] : [[config.fallback, id]])),
    )
    this.edges = edges
    this.places = new Map(
      nodes.map((node) => {
        const place = standsFor.get(node.id) ?? node.id
        const incoming = edges.filter(({ target, loop }) => target === node.id && loop === undefined)
        const outgoing = edges.filter(({ source }) => source === place)
        return [node.id, { node, standsFor: place, incoming, outgoing, loops: loops.get(place) ?? [] }]
      }),
    )
    this.outermost = [...new Set([...loops.values()].flatMap(([first]) => (first === undefined ? [] : [first])))]
  }

  place(node: string): Place {
    const place = this.places.get(node)
    if (place === undefined) throw new Error(`the flow has no node ${node}`)
    return place
  }

  spot(instanceId: string): Spot {
    let spot = this.#spots.get(instanceId)
    if (spot === undefined) {
      spot = this.#read(instanceId)
      this.#spots.set(instanceId, spot)
    }
    return spot
  }

  /** How many loops an edge stays within. */
  shared({ source, target }: BlueprintEdge): number {
    const from = this.place(source).loops
    const to = this.place(target).loops
    return from.filter((loop, index) => loop === to[index]).length
  }

  #read(instanceId: string): Spot {
    const [, node = '', said = '', item, turn] = /^([^#[\]]+)((?:#\d+)*)(\[\d+\])?(!)?$/.exec(instanceId) ?? []
    const visits = said.split('#').slice(1).map(Number)
    const isTurn = turn !== undefined
    const depth = isTurn ? visits.length : (this.places.get(node)?.loops.length ?? 0)
    return { node, visits: [...visits, ...ONES].slice(0, depth), isItem: item !== undefined, isTurn }
  }
}

/** A first visit goes unsaid where no later one follows it. */
export function instanceAt(node: string, visits: readonly number[]): string {
  const said = visits.slice(0, visits.findLastIndex((visit) => visit !== 1) + 1)
  return [node, ...said].join('#')
}

export function turnAt({ header }: SimLoop, visits: readonly number[]): string {
  return `${[header, ...visits].join('#')}!`
}

const ONES = [1, 1, 1, 1, 1, 1, 1, 1]
