/**
 * What has become of the instances of a run, in the order in which it did, and what that makes of the edges between them.
 * What leads out of a loop, or back in it, is heard of once, from whatever visit came first.
 */
import type { BlueprintEdge } from '@baton/core'
import { instanceAt, type Layout, type Place, turnAt } from './layout.ts'
import type { SimLoop } from './loop-map.ts'

export interface InstanceFate {
  readonly fate: 'succeeded' | 'failed' | 'skipped' | 'cancelled'
  readonly output?: unknown
  readonly action?: string | undefined
  readonly reason?: string | undefined
  readonly errorCode?: string | undefined
  /** It wanted the run to end with it: nothing follows it. */
  readonly isLast?: boolean
}

export type EdgeFate = 'succeeded' | 'failed' | 'skipped'

/** What came over an edge, and from which instance. */
export interface Heard {
  readonly fate: EdgeFate
  readonly from: string
}

/** Nodes that are visited together: those of a loop in one visit, or those in none. */
export interface Region {
  readonly loop: SimLoop | undefined
  readonly visits: readonly number[]
}

export class Fates {
  readonly layout: Layout
  readonly all = new Map<string, InstanceFate>()
  readonly #heard = new Map<string, Heard>()
  readonly #ended = new Set<string>()
  readonly #calledOff = new Set<string>()
  readonly #regions = new Map<string, Region>()
  /** In order, so that some of it can be taken back. */
  readonly #log: { readonly id: string; readonly fate: InstanceFate | undefined }[] = []

  constructor(layout: Layout) {
    this.layout = layout
    this.#regions.set('', { loop: undefined, visits: [] })
    for (const loop of layout.outermost) this.#enter(loop, [1])
  }

  /** What is being visited. */
  get regions(): Iterable<Region> {
    return this.#regions.values()
  }

  of(instanceId: string): InstanceFate | undefined {
    return this.all.get(instanceId)
  }

  note(instanceId: string, fate: InstanceFate): void {
    this.all.set(instanceId, fate)
    this.#log.push({ id: instanceId, fate })
    const { node, visits, isItem, isTurn } = this.layout.spot(instanceId)
    if (isItem || fate.fate === 'cancelled') return
    const place = this.layout.place(node)
    const loop = place.loops[visits.length - 1]
    if (loop === undefined) return
    if (isTurn) return this.#turns(loop, visits, fate.fate === 'succeeded')
    if (this.#standIn(place, fate) !== undefined) return
    let leadsBack = false
    for (const edge of place.outgoing) {
      const told = this.#after(place, edge, fate)
      if (edge.loop !== undefined) {
        if (told !== 'succeeded') continue
        leadsBack ||= edge.target === loop.header
        this.#hear(edge, visits.slice(0, this.layout.place(edge.target).loops.length), { fate: told, from: instanceId })
      } else if (told !== 'skipped' && this.layout.shared(edge) < visits.length) {
        this.#hear(edge, visits.slice(0, this.layout.shared(edge)), { fate: told, from: instanceId })
      }
    }
    if (loop.last === place.standsFor) this.#turns(loop, visits, leadsBack)
  }

  /** A join has no use for it any more, and speaks for it where its visit ends. */
  callsOff(instanceId: string): void {
    this.#calledOff.add(instanceId)
    this.#log.push({ id: instanceId, fate: undefined })
  }

  /** All but the fates of these, and what followed from them. */
  without(ids: ReadonlySet<string>): Fates {
    const left = new Fates(this.layout)
    for (const { id, fate } of this.#log) {
      if (ids.has(id)) continue
      if (fate === undefined) left.callsOff(id)
      else left.note(id, fate)
    }
    return left
  }

  /** What has reached a target over one of its edges; undefined where nothing has. */
  over(edge: BlueprintEdge, visits: readonly number[]): Heard | undefined {
    const shared = this.layout.shared(edge)
    const left = this.layout.place(edge.source).loops[shared]
    const within = visits.slice(0, shared)
    if (left === undefined) return this.#from(instanceAt(edge.source, within), edge)
    const heard = this.#heard.get(keyOf(edge, within))
    if (heard !== undefined || !this.#ended.has(keyOf(left, within))) return heard
    return { fate: 'skipped', from: '' }
  }

  /** The edge that leads back in a visit: the first of those that were taken, in the order of the blueprint. */
  back(loop: SimLoop, visits: readonly number[]): { readonly edge: BlueprintEdge; readonly from: string } | undefined {
    for (const edge of loop.backEdges) {
      const heard = this.#heard.get(keyOf(edge, visits))
      if (heard !== undefined) return { edge, from: heard.from }
    }
    return undefined
  }

  /** Whether all of a visit is over. */
  isOver(loop: SimLoop, visits: readonly number[]): boolean {
    return (
      loop.members.every((node) => this.#isSettled(node, visits)) &&
      loop.inner.every((inner) => this.#ended.has(keyOf(inner, visits)))
    )
  }

  /** Whether another visit follows this one, as far as it is known. */
  hasTurned(loop: SimLoop, visits: readonly number[]): boolean {
    if (loop.last !== undefined) return this.back(loop, visits) !== undefined
    return this.of(turnAt(loop, visits))?.fate === 'succeeded'
  }

  /** Whether an instance has led back: then what it gave is not the last that its node gives. */
  ledBack(instanceId: string): boolean {
    const fate = this.of(instanceId)
    const place = this.layout.place(this.layout.spot(instanceId).node)
    return place.outgoing.some(
      (edge) => edge.loop !== undefined && fate !== undefined && this.#after(place, edge, fate) === 'succeeded',
    )
  }

  #isSettled(node: string, visits: readonly number[]): boolean {
    const id = instanceAt(node, visits)
    const fate = this.of(id)
    const stand = fate && this.#standIn(this.layout.place(node), fate)
    if (stand !== undefined) return this.of(instanceAt(stand, visits)) !== undefined
    return fate === undefined || fate.fate === 'cancelled' ? this.#calledOff.has(id) : true
  }

  #from(instanceId: string, edge: BlueprintEdge): Heard | undefined {
    const fate = this.of(instanceId)
    if (fate === undefined || fate.fate === 'cancelled') return undefined
    const { node, visits } = this.layout.spot(instanceId)
    const place = this.layout.place(node)
    const stand = this.#standIn(place, fate)
    if (stand !== undefined) return this.#from(instanceAt(stand, visits), edge)
    return { fate: this.#after(place, edge, fate), from: instanceId }
  }

  /** Who takes over from a node that has failed. */
  #standIn({ node }: Place, { fate, errorCode }: InstanceFate): string | undefined {
    if (fate !== 'failed' || errorCode === 'PREDECESSOR_FAILED' || errorCode === 'MAX_VISITS') return undefined
    return node.config?.fallback
  }

  #after({ node }: Place, edge: BlueprintEdge, settled: InstanceFate): EdgeFate {
    if (settled.fate === 'failed') return 'failed'
    if (settled.fate !== 'succeeded') return settled.reason === 'upstream-failed' ? 'failed' : 'skipped'
    if (settled.isLast === true) return 'skipped'
    if (edge.action !== undefined && edge.action !== settled.action) return 'skipped'
    if (edge.condition === undefined) return 'succeeded'
    const condition = this.layout.flow.registry.conditions.get(edge.condition)
    if (condition === undefined) throw new Error(`${node.id} has an edge with the unknown condition ${edge.condition}`)
    return condition({ output: settled.output, action: settled.action }) ? 'succeeded' : 'skipped'
  }

  #hear(edge: BlueprintEdge, visits: readonly number[], heard: Heard): void {
    const key = keyOf(edge, visits)
    if (!this.#heard.has(key)) this.#heard.set(key, heard)
  }

  #turns(loop: SimLoop, visits: readonly number[], goesOn: boolean): void {
    const around = visits.slice(0, -1)
    this.#leave(loop, visits)
    if (goesOn) this.#enter(loop, [...around, (visits.at(-1) ?? 0) + 1])
    else this.#ended.add(keyOf(loop, around))
  }

  #enter(loop: SimLoop, visits: readonly number[]): void {
    this.#regions.set(keyOf(loop, visits.slice(0, -1)), { loop, visits })
    for (const inner of loop.inner) this.#enter(inner, [...visits, 1])
  }

  #leave(loop: SimLoop, visits: readonly number[]): void {
    this.#regions.delete(keyOf(loop, visits.slice(0, -1)))
    for (const inner of loop.inner) this.#leave(inner, [...visits, 1])
  }
}

function keyOf(of: BlueprintEdge | SimLoop, visits: readonly number[]): string {
  const name = 'header' in of ? of.header : (of.id ?? `${of.source}->${of.target}`)
  return `${name} ${visits.join('#')}`
}
