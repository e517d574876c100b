/**
 * The oracle: what comes of a run, told from its flow without running anything. Possible where nothing depends on what
 * happens first: joins of all, writes that commute, no cancel, no timeout.
 */
import { nodeOfInstance } from '@baton/core'
import { failureOf, resultOf } from '../workload/program.ts'
import { listOf, type SimNode } from '../workload/random-flow.ts'
import type { SimRun } from '../workload/runs.ts'
import { type InstanceFate, JoinRules } from './join-rules.ts'

export interface Foretold {
  readonly status: 'completed' | 'failed'
  readonly output: unknown
  /** The counters of the context; undefined where a map has failed, which calls off whatever of it still runs. */
  readonly count: number | undefined
  readonly steps: number | undefined
}

export function foretell(seed: number, run: SimRun): Foretold {
  return new Oracle(seed, run).foretell()
}

class Oracle {
  readonly #seed: number
  readonly #run: SimRun
  readonly #rules: JoinRules
  readonly #fates = new Map<string, InstanceFate>()
  #count = 0
  #steps = 0
  #hasFailed = false
  #isCallingOff = false

  constructor(seed: number, run: SimRun) {
    this.#seed = seed
    this.#run = run
    this.#rules = new JoinRules(run.flow)
  }

  foretell(): Foretold {
    // Edges lead from lower to higher numbers, so that the order of the nodes is one in which they could run.
    for (const node of this.#run.flow.nodes.values()) if (node.standsInFor === undefined) this.#settle(node)
    const status = this.#hasFailed ? 'failed' : 'completed'
    return {
      status,
      output: status === 'completed' ? this.#output() : null,
      count: this.#isCallingOff ? undefined : this.#count,
      steps: this.#isCallingOff ? undefined : this.#steps,
    }
  }

  #settle(node: SimNode): void {
    const { incoming } = this.#rules.places.get(node.id) ?? { incoming: [] }
    const fates = this.#rules.edgeFates(node.id, (id) => this.#fates.get(id))
    const state = incoming.length === 0 ? 'run' : this.#rules.stateOf(node.id, fates)
    if (state === 'skip') this.#note(node, { fate: 'skipped', reason: 'not-taken' })
    else if (state === 'fail' && incoming.length === 1) this.#note(node, { fate: 'skipped', reason: 'upstream-failed' })
    else if (state === 'fail') this.#note(node, { fate: 'failed', errorCode: 'PREDECESSOR_FAILED' })
    else this.#execute(node, this.#inputOf(node))
  }

  #execute(node: SimNode, input: unknown): void {
    const fate = node.map === undefined ? this.#attempts(node, node.id, input) : this.#items(node, input)
    const { fallback } = node.config
    const stand = fallback === undefined ? undefined : this.#run.flow.nodes.get(fallback)
    if (fate.fate !== 'failed' || stand === undefined) return this.#note(node, fate)
    this.#fates.set(node.id, fate)
    this.#note(stand, this.#attempts(stand, stand.id, input))
  }

  #items(node: SimNode, input: unknown): InstanceFate {
    const items = (input as readonly unknown[]).map((item, index) => this.#attempts(node, `${node.id}[${index}]`, item))
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
        isDenied = operation.fails?.(this.#seed, this.#run.runId, instanceId) === true
        if (isDenied) break
      }
      if (isDenied || failure?.isFatal === true) return { fate: 'failed' }
      if (failure !== undefined) continue
      for (const { adds = 0 } of operations) this.#count += adds
      return { fate: 'succeeded', ...resultOf(instanceId, input) }
    }
    return { fate: 'failed' }
  }

  #inputOf(node: SimNode): unknown {
    const { incoming } = this.#rules.places.get(node.id) ?? { incoming: [] }
    if (incoming.length === 0) return this.#run.input
    if (incoming.length === 1) {
      const output = this.#outputOf(incoming[0]?.source ?? '')
      return node.map === undefined ? output : listOf(output)
    }
    const fates = this.#rules.edgeFates(node.id, (id) => this.#fates.get(id))
    const brought = incoming.flatMap(({ source }, index) =>
      fates[index] === 'succeeded' ? [[source, this.#outputOf(source)] as const] : [],
    )
    return Object.fromEntries(brought)
  }

  /** A fallback speaks for the node that it stands in for. */
  #outputOf(nodeId: string): unknown {
    const fate = this.#fates.get(nodeId)
    const fallback = this.#run.flow.nodes.get(nodeId)?.config.fallback
    return fate?.fate === 'failed' && fallback !== undefined ? this.#fates.get(fallback)?.output : fate?.output
  }

  #output(): unknown {
    const { edges } = this.#run.flow.flow.toBlueprint()
    const last: [string, unknown][] = []
    for (const [id, { fate, output }] of this.#fates) {
      const name = this.#run.flow.nodes.get(id)?.standsInFor ?? nodeOfInstance(id)
      if (fate === 'succeeded' && !edges.some(({ source }) => source === name)) last.push([name, output ?? null])
    }
    if (last.length <= 1) return last[0]?.[1] ?? null
    return Object.fromEntries(last)
  }

  #note(node: SimNode, fate: InstanceFate): void {
    this.#fates.set(node.id, fate)
    if (fate.fate === 'failed') this.#hasFailed = true
  }
}
