/**
 * A graph as those see it who only look at it: to analyse, to draw, to warn. Any graph given as data will do, also one
 * that `checkBlueprint` refuses: seeing it is how one finds out why. An edge from or to a node that is not there is left
 * out, and of nodes with one id the first counts.
 *
 * Linear in the size of the graph, and without recursion.
 */
import type { Blueprint, BlueprintEdge, BlueprintNode } from '../model/blueprint.ts'
import { readBlueprint } from '../model/check-blueprint.ts'
import type { NodeId } from '../model/ids.ts'

export interface GraphView {
  readonly blueprint: Blueprint
  /** In the blueprint's order. */
  readonly nodes: readonly ViewedNode[]
  /** Nodes by the longest way to them, fallbacks left out: those of one layer wait for none of each other. */
  readonly layers: readonly (readonly ViewedNode[])[]
}

export interface ViewedNode {
  readonly id: NodeId
  readonly node: BlueprintNode
  readonly incoming: readonly ViewedEdge[]
  readonly outgoing: readonly ViewedEdge[]
  /** The node that stands in for this one when it fails. */
  readonly fallback: ViewedNode | undefined
  /** The node that this one stands in for. It has no edges: it gets and follows those of that node. */
  readonly standsInFor: ViewedNode | undefined
  /** Several edges lead to it that do not lead back. */
  readonly isJoin: boolean
  /** It starts with the run: nothing precedes it. */
  readonly isStart: boolean
  /** From 0. Of a fallback, that of the node that it stands in for. */
  readonly layer: number
}

export interface ViewedEdge {
  readonly edge: BlueprintEdge
  readonly source: ViewedNode
  readonly target: ViewedNode
  /** It is declared to, or leads to a node that its source comes from and so closes a cycle. */
  readonly leadsBack: boolean
}

interface Draft extends ViewedNode {
  readonly incoming: DraftEdge[]
  readonly outgoing: DraftEdge[]
  fallback: Draft | undefined
  standsInFor: Draft | undefined
  isStart: boolean
  isJoin: boolean
  layer: number
}

interface DraftEdge extends ViewedEdge {
  readonly source: Draft
  readonly target: Draft
  leadsBack: boolean
}

export function viewGraph(data: Blueprint): GraphView {
  const blueprint = readBlueprint(data)
  const drafts = new Map<NodeId, Draft>()
  for (const node of blueprint.nodes) {
    if (!drafts.has(node.id)) drafts.set(node.id, draftOf(node))
  }
  for (const edge of blueprint.edges) {
    const source = drafts.get(edge.source)
    const target = drafts.get(edge.target)
    if (source === undefined || target === undefined) continue
    const drafted = { edge, source, target, leadsBack: edge.loop !== undefined }
    source.outgoing.push(drafted)
    target.incoming.push(drafted)
  }
  for (const draft of drafts.values()) {
    const stand = drafts.get(draft.node.config?.fallback ?? '')
    if (stand === undefined || stand === draft || stand.standsInFor !== undefined) continue
    draft.fallback = stand
    stand.standsInFor = draft
  }
  const nodes = [...drafts.values()]
  for (const draft of nodes) draft.isStart = startsWithRun(draft)
  markEdgesBack(nodes)
  return { blueprint, nodes, layers: layersOf(nodes) }
}

function draftOf(node: BlueprintNode): Draft {
  return {
    id: node.id,
    node,
    incoming: [],
    outgoing: [],
    fallback: undefined,
    standsInFor: undefined,
    isJoin: false,
    isStart: false,
    layer: 0,
  }
}

/** An edge that is declared to lead back keeps nobody from starting. */
function startsWithRun({ incoming, standsInFor }: Draft): boolean {
  return standsInFor === undefined && incoming.every(({ edge }) => edge.loop !== undefined)
}

/**
 * Walks from the starts, then from whatever nothing starts, along the edges that are not declared to lead back; one to a
 * node that is still being walked leads back too.
 */
function markEdgesBack(nodes: readonly Draft[]): void {
  const walked = new Map<Draft, 'entered' | 'left'>()
  for (const root of [...nodes.filter(({ isStart }) => isStart), ...nodes]) {
    if (walked.has(root)) continue
    walked.set(root, 'entered')
    const way: { readonly at: Draft; next: number }[] = [{ at: root, next: 0 }]
    for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
      const edge = step.at.outgoing[step.next++]
      if (edge === undefined) {
        walked.set(step.at, 'left')
        way.pop()
      } else if (edge.leadsBack) {
        // Said already.
      } else if (!walked.has(edge.target)) {
        walked.set(edge.target, 'entered')
        way.push({ at: edge.target, next: 0 })
      } else if (walked.get(edge.target) === 'entered') edge.leadsBack = true
    }
  }
}

function layersOf(nodes: readonly Draft[]): Draft[][] {
  const missing = new Map<Draft, number>()
  for (const draft of nodes) {
    const ahead = draft.incoming.filter(({ leadsBack }) => !leadsBack).length
    missing.set(draft, ahead)
    draft.isJoin = ahead > 1
  }
  const free = nodes.filter((draft) => missing.get(draft) === 0)
  for (const draft of free) {
    for (const { target, leadsBack } of draft.outgoing) {
      if (leadsBack) continue
      target.layer = Math.max(target.layer, draft.layer + 1)
      const left = (missing.get(target) ?? 0) - 1
      missing.set(target, left)
      if (left === 0) free.push(target)
    }
  }
  const layers: Draft[][] = []
  for (const draft of nodes) {
    if (draft.standsInFor !== undefined) draft.layer = draft.standsInFor.layer
    else {
      layers[draft.layer] ??= []
      layers[draft.layer]?.push(draft)
    }
  }
  return layers
}
