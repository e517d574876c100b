/**
 * A run in this process of which nobody has asked more yet than how it ends, and in which every node so far has done
 * the plain thing: take outputs, give an output. What the machine would say about such a run is known beforehand, so
 * nobody asks it; predecessors are counted, and the order of successes is noted.
 *
 * As soon as anything else happens (a node throws, waits, touches its context or its signal, times out, takes an
 * edge; the run is cancelled; a node comes up that is not plain) the run is handed over: what was noted is put to a
 * machine, which then stands where it would have stood had it been asked from the beginning, and a `LocalRun` goes on
 * with it. So there is one set of rules, and this is a way to need them less often.
 */
import type { Attempt } from '../engine/attempt.ts'
import { afterSuccess } from '../engine/decide.ts'
import type { GraphNode } from '../engine/graph.ts'
import { checkReturn, isPromise } from '../engine/node-return.ts'
import { asPlainObject, newTable } from '../engine/table.ts'
import { RunMachine } from '../machine/run-machine.ts'
import type { RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { NewRun } from '../model/run.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import type { Claim } from '../ports/claim.ts'
import { onAbort } from '../ports/on-abort.ts'
import { type LocalSurroundings, localMachine, WORKER_ID } from './local-environment.ts'
import { LocalRun } from './local-run.ts'
import { ENDED, PlainAttempt } from './plain-attempt.ts'
import type { Plan, PlanNode } from './plan.ts'
import type { Watch, Watched } from './watch.ts'

export interface PlainRunOptions {
  readonly plan: Plan
  readonly runId: RunId
  readonly input: unknown
  readonly env: LocalSurroundings
  readonly concurrency: number
  readonly watch: Watch
  readonly signal: AbortSignal | undefined
  /** Only what is handed over needs all of it. */
  readonly newRun: () => NewRun
}

/** The output of a run that stayed plain, or the state of one that was handed over. */
export type PlainEnd =
  | { readonly plain: true; readonly output: JsonValue | undefined }
  | { readonly plain: false; readonly state: RunState }

export class PlainRun implements Watched {
  readonly runId: RunId
  readonly #options: PlainRunOptions
  readonly #plan: Plan
  /** Arrivals that each node still waits for. */
  readonly #missing: number[]
  readonly #outputs: (JsonValue | undefined)[]
  /** Nodes in the order in which they succeeded. */
  readonly #succeeded: PlanNode[] = []
  readonly #line: PlanNode[]
  #head = 0
  #isPumping = false
  readonly #underWay: PlainAttempt[] = []
  #local: LocalRun | undefined
  /** It has ended, or goes on elsewhere. */
  #isOver = false
  #stopListening: (() => void) | undefined
  #resolve: (end: PlainEnd) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  /** Where the watch keeps it. */
  place = 0

  constructor(options: PlainRunOptions) {
    const { plan } = options
    this.#options = options
    this.runId = options.runId
    this.#plan = plan
    this.#missing = plan.awaited.slice()
    this.#outputs = new Array<JsonValue | undefined>(plan.nodes.length)
    this.#line = plan.starts.slice()
  }

  finish(): Promise<PlainEnd> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#options.watch.add(this)
      const { signal } = this.#options
      if (signal?.aborted === true) this.handOver()
      else if (signal !== undefined) this.#stopListening = onAbort(signal, () => this.handOver())
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    const { concurrency } = this.#options
    while (this.#head < this.#line.length && this.#underWay.length < concurrency) {
      void this.#workFrom(this.#line[this.#head++] as PlanNode)
    }
    this.#isPumping = false
    this.#local?.pump()
    if (this.#underWay.length === 0 && !this.#isOver) {
      this.#end()
      this.#resolve({ plain: true, output: this.#output() })
    }
  }

  /** Runs a node and then, as long as its success makes others ready, the first of those. */
  async #workFrom(first: PlanNode): Promise<void> {
    const underWay = this.#underWay
    let hasWaited = false
    for (let next: PlanNode | undefined = first; next !== undefined; ) {
      if (!next.plain) {
        this.handOver(next)
        break
      }
      const attempt = new PlainAttempt(this, next, this.#inputOf(next), underWay.length)
      underWay.push(attempt)
      this.#options.watch.soon()
      let output: JsonValue | undefined
      try {
        let returned = next.node.fn(attempt)
        if (isPromise(returned)) {
          returned = await returned
          hasWaited = true
        }
        if (attempt.heir !== undefined) return attempt.heir.resolve(returned)
        const result = checkReturn(returned)
        if (result.action !== undefined) return this.#heirOf(attempt)?.resolve(returned)
        if (result.output !== undefined) output = this.#options.env.serializer.encode(result.output, 'output')
      } catch (thrown) {
        return this.#heirOf(attempt)?.reject(thrown)
      }
      const last = underWay.pop() as PlainAttempt
      if (last !== attempt) {
        underWay[attempt.place] = last
        last.place = attempt.place
      }
      attempt.place = ENDED
      next = this.#succeed(next, output)
      // Others wait in line, and this is not the pump's own call, which goes on with them as soon as this node waits.
      if (hasWaited && next !== undefined && this.#head < this.#line.length) {
        void this.#workFrom(next)
        break
      }
    }
    this.#pump()
  }

  /** @returns the first node that this makes ready; the others are put in line */
  #succeed(node: PlanNode, output: JsonValue | undefined): PlanNode | undefined {
    this.#outputs[node.number] = output
    this.#succeeded.push(node)
    const missing = this.#missing
    let first: PlanNode | undefined
    for (const target of node.targets) {
      const left = (missing[target.number] as number) - 1
      missing[target.number] = left
      if (left > 0) continue
      if (first === undefined) first = target
      else this.#line.push(target)
    }
    return first
  }

  #inputOf({ sources, isJoin }: PlanNode): unknown {
    if (!isJoin) {
      const [source] = sources
      return source === undefined ? this.#options.input : this.#outputs[source.number]
    }
    return undefined
  }

  /** Made when it is asked for: many joins only wait. */
  joinedInputOf({ sources }: PlanNode): unknown {
    const input = newTable()
    for (const { number, node } of sources) input[node.id] = this.#outputs[number]
    return asPlainObject(input)
  }

  #output(): JsonValue | undefined {
    const { results } = this.#plan
    if (results.length === 1) return this.#outputs[(results[0] as PlanNode).number]
    if (results.length === 0) return undefined
    return Object.fromEntries(results.map(({ number, node }) => [node.id, this.#outputs[number] ?? null]))
  }

  /** Notes when attempts must be over, and ends those whose time is up. @returns when to look again */
  lookAt(nowMs: number): number {
    let next = NEVER
    let isLate = false
    for (const attempt of this.#underWay) {
      if (attempt.untilMs === 0) attempt.untilMs = nowMs + attempt.node.timeoutMs
      if (attempt.untilMs <= nowMs) isLate = true
      else if (attempt.untilMs < next) next = attempt.untilMs
    }
    if (!isLate) return next
    const late = this.#underWay.filter(({ untilMs }) => untilMs <= nowMs)
    this.handOver()
    for (const { heir } of late) heir?.expire()
    return NEVER
  }

  #heirOf(attempt: PlainAttempt): Attempt | undefined {
    if (attempt.heir === undefined) this.handOver()
    return attempt.heir
  }

  #end(): void {
    this.#isOver = true
    this.#options.watch.remove(this)
    this.#stopListening?.()
  }

  /**
   * Puts what happened so far to a machine, and leaves the rest to a `LocalRun`.
   *
   * @param next a node that was to go on where its predecessor ended
   */
  handOver(next?: PlanNode): void {
    if (this.#isOver) return
    this.#end()
    try {
      const local = this.#successor(next)
      this.#local = local
      local.finish().then((state) => this.#resolve({ plain: false, state }), this.#reject)
    } catch (error) {
      this.#reject(error)
    }
  }

  #successor(next: PlanNode | undefined): LocalRun {
    const { env, plan, newRun, concurrency, signal } = this.#options
    const { graph } = plan
    const run = newRun()
    const nowMs = env.clock.now()
    const machine = RunMachine.create(run, nowMs, localMachine(graph))
    for (const { node, number } of this.#succeeded) {
      const claim = claimFrom(machine, run, node, nowMs)
      const output = this.#outputs[number]
      const outcome = afterSuccess(graph, node, claim, output === undefined ? {} : { output })
      const { instanceId, fence } = claim
      machine.commit({ runId: run.runId, commitId: HANDED_OVER, instanceId, fence, outcome }, nowMs)
    }
    const line = this.#line.splice(this.#head).map(({ node }) => node.id)
    if (next !== undefined) line.unshift(next.node.id)
    const local = new LocalRun({ graph, run, env, concurrency, signal, begun: { machine, line } })
    for (const attempt of this.#underWay) {
      const begunAtMs = attempt.untilMs === 0 ? nowMs : attempt.untilMs - attempt.node.timeoutMs
      attempt.heir = local.adopt(claimFrom(machine, run, attempt.node.node, nowMs), attempt, begunAtMs)
    }
    return local
  }
}

const HANDED_OVER = 'handed-over'

function claimFrom(machine: RunMachine, run: NewRun, node: GraphNode, atMs: number): Claim {
  const { runId } = run
  const result = machine.claim(
    { runId, instanceId: node.id, claimId: HANDED_OVER, workerId: WORKER_ID, leaseMs: NEVER, ...node.needs },
    atMs,
  )
  if (result.status !== 'claimed') throw new Error(`${node.id} was ready in run ${runId}, and is ${result.status}`)
  return result.claim
}
