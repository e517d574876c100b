/** Warnings about which edges are taken. */
import type { BlueprintEdge, BlueprintNode } from '../model/blueprint.ts'
import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import type { GraphView, ViewedNode } from './graph-view.ts'
import type { Finding } from './lint-blueprint.ts'

export function edgeWarnings({ nodes, blueprint }: GraphView): Finding[] {
  const places = new Map(blueprint.edges.map((edge, index) => [edge, `edges[${index}]`]))
  const placeOf = (edge: BlueprintEdge) => places.get(edge) ?? 'edges'
  return nodes.flatMap((node, index) => [
    ...restWarnings(node, `nodes[${index}]`),
    ...actionWarnings(node, placeOf),
    ...doubleWarnings(node, placeOf),
  ])
}

function isConditional({ action, condition }: BlueprintEdge): boolean {
  return action !== undefined || condition !== undefined
}

/** What a node may return; undefined where it may return anything. The items of a map have no say in its edges. */
function actionsOf({ uses, config }: BlueprintNode): readonly string[] | undefined {
  return config?.map === undefined ? ACTIONS.get(uses) : NO_ACTIONS
}

const NO_ACTIONS: readonly string[] = []

/** Of nodes that come with Baton. */
const ACTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  [APPROVAL, ['approved', 'denied']],
  [CHILD, NO_ACTIONS],
  [SLEEP, NO_ACTIONS],
  [WAIT_FOR_SIGNAL, NO_ACTIONS],
])

function restWarnings({ id, node, outgoing }: ViewedNode, field: string): Finding[] {
  // Where only edges of loops leave a node, and none is taken, the loop has ended there.
  if (outgoing.every(({ leadsBack }) => leadsBack) || !outgoing.every(({ edge }) => isConditional(edge))) return []
  const actions = actionsOf(node)
  const covered = new Set(outgoing.flatMap(({ edge }) => (edge.condition === undefined ? [edge.action] : [])))
  // Without an edge for `denied` a denial fails the node, which is not silent.
  const isCovered = actions?.every((action) => action === 'denied' || covered.has(action)) === true && covered.size > 0
  return isCovered ? [] : [{ code: 'NO_EDGE_FOR_THE_REST', field, what: id }]
}

function actionWarnings({ node, outgoing }: ViewedNode, placeOf: (edge: BlueprintEdge) => string): Finding[] {
  const actions = actionsOf(node)
  if (actions === undefined) return []
  const takesDenials = outgoing.some(({ edge }) => edge.action === 'denied')
  return outgoing.flatMap(({ edge }): Finding[] => {
    const { source, target, action } = edge
    if (action !== undefined && !actions.includes(action)) {
      const what = `${source} -> ${target}, ${action}`
      return [{ code: 'ACTION_NEVER_RETURNED', field: `${placeOf(edge)}.action`, what }]
    }
    const isTakenAnyway = takesDenials && !isConditional(edge)
    return isTakenAnyway ? [{ code: 'DENIAL_TAKES_BOTH', field: placeOf(edge), what: `${source} -> ${target}` }] : []
  })
}

function doubleWarnings({ outgoing }: ViewedNode, placeOf: (edge: BlueprintEdge) => string): Finding[] {
  const always = new Set(outgoing.flatMap(({ edge }) => (isConditional(edge) ? [] : [edge.target])))
  const seen = new Set<string>()
  return outgoing.flatMap(({ edge }): Finding[] => {
    const { source, target } = edge
    const isSecond = seen.has(target)
    seen.add(target)
    return isSecond && always.has(target)
      ? [{ code: 'DOUBLE_EDGE', field: placeOf(edge), what: `${source} -> ${target}` }]
      : []
  })
}
