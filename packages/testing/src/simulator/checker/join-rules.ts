/**
 * The rules of joins a second time, from the blueprint and the fates of nodes alone: no arrival, no set, no counter. What
 * the engine does in increments is checked against what must come of it.
 */
import type { Blueprint, BlueprintEdge, BlueprintNode } from '@baton/core'
import type { SimFlow } from '../workload/random-flow.ts'

/** What became of an instance. */
export interface InstanceFate {
  readonly fate: 'succeeded' | 'failed' | 'skipped' | 'cancelled'
  readonly output?: unknown
  readonly action?: string | undefined
  readonly reason?: string | undefined
  readonly errorCode?: string | undefined
}

export type EdgeFate = 'succeeded' | 'failed' | 'skipped'

export type JoinState = 'waits' | 'run' | 'skip' | 'fail'

interface Place {
  readonly node: BlueprintNode
  readonly incoming: readonly BlueprintEdge[]
}

export class JoinRules {
  readonly places: ReadonlyMap<string, Place>
  readonly #flow: SimFlow
  readonly #joins: readonly string[]

  constructor(flow: SimFlow) {
    this.#flow = flow
    const blueprint: Blueprint = flow.flow.toBlueprint()
    this.places = new Map(
      blueprint.nodes.map((node) => [
        node.id,
        { node, incoming: blueprint.edges.filter(({ target }) => target === node.id) },
      ]),
    )
    this.#joins = [...this.places.keys()].filter((nodeId) => this.isJoin(nodeId))
  }

  /** Nodes that something precedes, for which the rules hold. */
  get joins(): readonly string[] {
    return this.#joins
  }

  /** No item of a map, no start, and no fallback: that one is called by a failure. */
  isJoin(instanceId: string): boolean {
    return (this.places.get(instanceId)?.incoming.length ?? 0) > 0
  }

  /** What the fates of its predecessors make of a node by now. */
  stateNow(nodeId: string, fateOf: (nodeId: string) => InstanceFate | undefined): JoinState {
    return this.stateOf(nodeId, this.edgeFates(nodeId, fateOf))
  }

  /** What reaches a node on each of its edges; undefined where nothing has, or never will. */
  edgeFates(nodeId: string, fateOf: (nodeId: string) => InstanceFate | undefined): (EdgeFate | undefined)[] {
    return (this.places.get(nodeId)?.incoming ?? []).map((edge) => this.#fateOn(edge, edge.source, fateOf))
  }

  /** What the fates so far make of a node. */
  stateOf(nodeId: string, fates: readonly (EdgeFate | undefined)[]): JoinState {
    const { config = {} } = this.places.get(nodeId)?.node ?? {}
    const succeeded = fates.filter((fate) => fate === 'succeeded').length
    const failed = fates.filter((fate) => fate === 'failed').length
    const isComplete = !fates.includes(undefined)
    if (fates.length === 1 || config.joinStrategy !== 'any') {
      if (failed > 0) return 'fail'
      if (!isComplete) return 'waits'
      return succeeded > 0 ? 'run' : 'skip'
    }
    if (config.anyFailure === 'ignore') {
      if (succeeded > 0) return 'run'
      if (!isComplete) return 'waits'
      return failed > 0 ? 'fail' : 'skip'
    }
    if (failed > 0) return 'fail'
    if (succeeded > 0) return 'run'
    return isComplete ? 'skip' : 'waits'
  }

  #fateOn(
    edge: BlueprintEdge,
    source: string,
    fateOf: (nodeId: string) => InstanceFate | undefined,
  ): EdgeFate | undefined {
    const settled = fateOf(source)
    if (settled === undefined || settled.fate === 'cancelled') return undefined
    if (settled.fate === 'skipped') return settled.reason === 'upstream-failed' ? 'failed' : 'skipped'
    if (settled.fate === 'failed') {
      const fallback = this.places.get(source)?.node.config?.fallback
      const isTaken = fallback !== undefined && settled.errorCode !== 'PREDECESSOR_FAILED'
      return isTaken ? this.#fateOn(edge, fallback, fateOf) : 'failed'
    }
    if (edge.action !== undefined && edge.action !== settled.action) return 'skipped'
    if (edge.condition === undefined) return 'succeeded'
    const condition = this.#flow.flow.registry.conditions.get(edge.condition)
    return condition?.({ output: settled.output, action: settled.action }) === true ? 'succeeded' : 'skipped'
  }
}
