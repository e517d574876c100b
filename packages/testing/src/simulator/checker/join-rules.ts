/**
 * The rules of joins and loops a second time, from the blueprint and the fates of instances alone: no arrival, no set, no
 * counter. What the engine does in increments is checked against what must come of it.
 */
import type { SimFlow } from '../workload/random-flow.ts'
import type { EdgeFate, Fates, Heard, Region } from './fates.ts'
import { instanceAt, Layout, turnAt } from './layout.ts'
import type { SimLoop } from './loop-map.ts'

/** `over`: one visit more than the loop allows. Of a turn `run` says that the loop goes on, and `skip` that it has ended. */
export type JoinState = 'waits' | 'run' | 'skip' | 'fail' | 'over'

const known = new WeakMap<SimFlow, JoinRules>()

export function rulesOf(flow: SimFlow): JoinRules {
  const rules = known.get(flow) ?? new JoinRules(flow)
  known.set(flow, rules)
  return rules
}

export class JoinRules {
  readonly layout: Layout
  /** Where a run begins. */
  readonly starts: readonly string[]
  readonly #joins: readonly string[]

  constructor({ flow }: SimFlow) {
    this.layout = new Layout(flow)
    const { places } = this.layout
    this.starts = [...places].flatMap(([id, { incoming, standsFor }]) =>
      incoming.length === 0 && standsFor === id ? [id] : [],
    )
    this.#joins = [...places.keys()].filter((node) => (places.get(node)?.incoming.length ?? 0) > 0)
  }

  /** The instances of a region that the rules hold for. */
  joinsOf({ loop, visits }: Region): readonly string[] {
    if (loop === undefined) return this.#joins.filter((node) => this.layout.place(node).loops.length === 0)
    const isRevisit = (visits.at(-1) ?? 1) > 1
    const joins = loop.members.filter((node) => (node === loop.header && isRevisit) || this.#joins.includes(node))
    const instances = joins.map((node) => instanceAt(node, visits))
    return loop.last === undefined ? [...instances, turnAt(loop, visits)] : instances
  }

  /** No item of a map, no start, and no fallback: that one is called by a failure. */
  isJoin(instanceId: string): boolean {
    const { node, isItem, isTurn } = this.layout.spot(instanceId)
    if (isItem || isTurn) return isTurn
    return this.#joins.includes(node) || this.#revisited(instanceId) !== undefined
  }

  /** Whether a loop begins again with it. */
  isRevisit(instanceId: string): boolean {
    return this.#revisited(instanceId) !== undefined
  }

  /** What the fates of its predecessors make of an instance by now. */
  stateNow(instanceId: string, fates: Fates): JoinState {
    const { node, visits, isTurn } = this.layout.spot(instanceId)
    const place = this.layout.place(node)
    if (isTurn) {
      const loop = place.loops[visits.length - 1] as SimLoop
      if (!fates.isOver(loop, visits)) return 'waits'
      return fates.back(loop, visits) === undefined ? 'skip' : 'run'
    }
    const loop = this.#revisited(instanceId)
    if (loop === undefined) return this.stateOf(node, this.edgeFates(instanceId, fates))
    const visit = visits.at(-1) as number
    const before = [...visits.slice(0, -1), visit - 1]
    const back = fates.back(loop, before)
    if (back === undefined || !fates.hasTurned(loop, before)) return 'waits'
    return visit > (back.edge.loop?.maxVisits ?? 0) ? 'over' : 'run'
  }

  /** What reaches an instance on each of its edges; undefined where nothing has, or never will. */
  edgeFates(instanceId: string, fates: Fates): (EdgeFate | undefined)[] {
    return this.heardBy(instanceId, fates).map((heard) => heard?.fate)
  }

  /** The same, and from whom. */
  heardBy(instanceId: string, fates: Fates): (Heard | undefined)[] {
    const { node, visits } = this.layout.spot(instanceId)
    return this.layout.place(node).incoming.map((edge) => fates.over(edge, visits))
  }

  /** What the fates so far make of a node. */
  stateOf(node: string, fates: readonly (EdgeFate | undefined)[]): JoinState {
    const { config = {} } = this.layout.place(node).node
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

  /** The loop that a header begins again, where this is not its first visit. */
  #revisited(instanceId: string): SimLoop | undefined {
    const { node, visits } = this.layout.spot(instanceId)
    const loop = this.layout.places.get(node)?.loops.at(-1)
    return loop?.header === node && (visits.at(-1) ?? 1) > 1 ? loop : undefined
  }
}
