/**
 * The oracle: what comes of a run, told from its flow without running anything. Possible where nothing depends on what
 * happens first: joins of all, writes that commute, no cancel, no timeout.
 */

import type { ChildToBe, Operation } from '../workload/feature.ts'
import { failureOf, resultOf } from '../workload/program.ts'
import { listOf, type SimNode } from '../workload/random-flow.ts'
import { Fates, type InstanceFate, type Region } from './fates.ts'
import { type JoinRules, rulesOf } from './join-rules.ts'
import { instanceAt, turnAt } from './layout.ts'
import type { SimLoop } from './loop-map.ts'

export interface Foretold {
  readonly status: 'completed' | 'failed'
  readonly output: unknown
  /** The counters of the context; undefined where a map has failed, which calls off whatever of it still runs. */
  readonly count: number | undefined
  readonly steps: number | undefined
}

export function foretell(seed: number, run: ChildToBe): Foretold {
  return new Oracle(seed, run).foretell()
}

class Oracle {
  readonly #seed: number
  readonly #run: ChildToBe
  readonly #rules: JoinRules
  readonly #fates: Fates
  #count = 0
  #steps = 0
  #hasFailed = false
  #isCallingOff = false

  constructor(seed: number, run: ChildToBe) {
    this.#seed = seed
    this.#run = run
    this.#rules = rulesOf(run.flow)
    this.#fates = new Fates(this.#rules.layout)
  }

  foretell(): Foretold {
    this.#visit({ loop: undefined, visits: [] })
    const status = this.#hasFailed ? 'failed' : 'completed'
    return {
      status,
      output: status === 'completed' ? this.#output() : null,
      count: this.#isCallingOff ? undefined : this.#count,
      steps: this.#isCallingOff ? undefined : this.#steps,
    }
  }

  /**
   * All nodes of a region, with the loops in it. Edges lead from lower to higher numbers, and into a loop by its header
   * alone, so that the order of the nodes is one in which they could run.
   */
  #visit({ loop, visits }: Region): void {
    for (const node of this.#run.flow.nodes.values()) {
      if (node.standsInFor !== undefined) continue
      const around = this.#rules.layout.place(node.id).loops
      const innermost = around.at(-1)
      if (innermost === loop) this.#settle(node, visits)
      else if (innermost?.header === node.id && innermost.parent === loop) this.#goRound(innermost, visits)
    }
  }

  #goRound(loop: SimLoop, around: readonly number[]): void {
    for (let visit = 1; ; visit++) {
      const visits = [...around, visit]
      this.#visit({ loop, visits })
      const back = this.#fates.back(loop, visits)
      if (loop.last === undefined) {
        const fate = back === undefined ? 'skipped' : 'succeeded'
        this.#fates.note(turnAt(loop, visits), { fate })
      }
      if (back === undefined) return
    }
  }

  #settle(node: SimNode, visits: readonly number[]): void {
    const id = instanceAt(node.id, visits)
    const { incoming } = this.#rules.layout.place(node.id)
    const state = this.#rules.isJoin(id) ? this.#rules.stateNow(id, this.#fates) : 'run'
    if (state === 'skip') this.#note(id, { fate: 'skipped', reason: 'not-taken' })
    else if (state === 'over') this.#note(id, { fate: 'failed', errorCode: 'MAX_VISITS' })
    else if (state !== 'fail') this.#execute(node, visits, this.#inputOf(node, visits))
    else if (incoming.length === 1) this.#note(id, { fate: 'skipped', reason: 'upstream-failed' })
    else this.#note(id, { fate: 'failed', errorCode: 'PREDECESSOR_FAILED' })
  }

  #execute(node: SimNode, visits: readonly number[], input: unknown): void {
    const id = instanceAt(node.id, visits)
    const fate = node.map === undefined ? this.#attempts(node, id, input) : this.#items(node, id, input)
    const { fallback } = node.config
    const stand = fallback === undefined ? undefined : this.#run.flow.nodes.get(fallback)
    if (fate.fate !== 'failed' || stand === undefined) return this.#note(id, fate)
    this.#fates.note(id, fate)
    const other = instanceAt(stand.id, visits)
    this.#note(other, this.#attempts(stand, other, input))
  }

  #items(node: SimNode, id: string, input: unknown): InstanceFate {
    const items = (input as readonly unknown[]).map((item, index) => this.#attempts(node, `${id}[${index}]`, item))
    const failed = items.filter(({ fate }) => fate === 'failed').length
    if (failed > (node.map?.maxFailures ?? 0)) {
      this.#isCallingOff = true
      return { fate: 'failed', errorCode: 'MAP_FAILED' }
    }
    return { fate: 'succeeded', output: items.map((item) => item.output ?? null) }
  }

  /** One attempt after another: what is done for good counts, whatever becomes of the attempt, and once. */
  #attempts(node: SimNode, instanceId: string, input: unknown): InstanceFate {
    const { operations, config } = node
    const done = new Set<number>()
    const most = config.retry?.attempts ?? 1
    for (let attempt = 1; attempt <= most; attempt++) {
      const failure = failureOf(this.#seed, { runId: this.#run.runId, instanceId, attempt }, operations.length)
      const until = failure?.after ?? operations.length
      let isDenied = false
      for (const [index, operation] of operations.slice(0, until).entries()) {
        if (operation.addsForGood !== undefined && !done.has(index)) this.#steps += operation.addsForGood
        done.add(index)
        isDenied = this.#isDenied(operation, instanceId)
        if (isDenied) break
      }
      if (isDenied || failure?.isFatal === true) return { fate: 'failed' }
      if (failure !== undefined) continue
      for (const { adds = 0 } of operations) this.#count += adds
      return { fate: 'succeeded', ...resultOf(instanceId, input) }
    }
    return { fate: 'failed' }
  }

  /** Nobody allows it, or the run that it waits for fails. */
  #isDenied({ fails, awaits }: Operation, instanceId: string): boolean {
    const { runId } = this.#run
    if (fails?.(this.#seed, runId, instanceId) === true) return true
    return awaits !== undefined && foretell(this.#seed, awaits(runId, instanceId)).status === 'failed'
  }

  #inputOf(node: SimNode, visits: readonly number[]): unknown {
    const { incoming, loops } = this.#rules.layout.place(node.id)
    const loop = loops.at(-1)
    const visit = visits.at(-1) ?? 1
    const brought = (from: string) => {
      const output = this.#fates.of(from)?.output
      return node.map === undefined ? output : listOf(output)
    }
    if (loop?.header === node.id && visit > 1) {
      const back = this.#fates.back(loop, [...visits.slice(0, -1), visit - 1])
      return brought(back?.from ?? '')
    }
    if (incoming.length === 0) return this.#run.input
    const heard = incoming.map((edge) => ({ source: edge.source, heard: this.#fates.over(edge, visits) }))
    if (incoming.length === 1) return brought(heard[0]?.heard?.from ?? '')
    return Object.fromEntries(
      heard.flatMap(({ source, heard }) => (heard?.fate === 'succeeded' ? [[source, brought(heard.from)]] : [])),
    )
  }

  #output(): unknown {
    const { layout } = this.#rules
    const last = new Map<string, unknown>()
    for (const [id, { fate, output }] of this.#fates.all) {
      const { node, isItem, isTurn } = layout.spot(id)
      if (fate !== 'succeeded' || isItem || isTurn || this.#fates.ledBack(id)) continue
      const { outgoing, standsFor } = layout.place(node)
      if (outgoing.every(({ loop }) => loop !== undefined)) last.set(standsFor, output ?? null)
    }
    if (last.size <= 1) return [...last.values()][0] ?? null
    return Object.fromEntries(last)
  }

  #note(id: string, fate: InstanceFate): void {
    this.#fates.note(id, fate)
    if (fate.fate === 'failed') this.#hasFailed = true
  }
}
