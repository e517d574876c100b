/**
 * One run, in this process, with nobody watching: the same machine, attempts and decisions as a worker's, driven
 * without what nobody observes (claims by others, leases, a journal, copies of values).
 *
 * It keeps to the order of a worker with one queue: go on inline with the first instance made ready, put the others at
 * the end of the line.
 */
import { Attempt, type AttemptEnd } from '../engine/attempt.ts'
import type { Environment } from '../engine/environment.ts'
import { type Graph, nodeOf } from '../engine/graph.ts'
import { type MachineOptions, RunMachine } from '../machine/run-machine.ts'
import { defaults } from '../model/blueprint.ts'
import type { ContextEntry } from '../model/delta.ts'
import type { RunEvent } from '../model/event.ts'
import { type InstanceId, nodeOfInstance } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import type { ContextSource } from '../ports/async-context.ts'
import type { Claim } from '../ports/claim.ts'
import type { NewRun } from '../ports/run-store.ts'
import type { CommitResult, Transition } from '../ports/transition.ts'

export interface LocalRunOptions {
  readonly graph: Graph
  readonly run: NewRun
  readonly env: Pick<Environment, 'serializer' | 'clock' | 'random' | 'newId' | 'logger' | 'deadlines'>
  /** Instances that run at the same time. */
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Of a run that began elsewhere: its machine, and what waits in line. */
  readonly begun?: { readonly machine: RunMachine; readonly line: readonly InstanceId[] }
}

export const WORKER_ID = 'local'
const NO_CANDIDATES: readonly never[] = []

export class LocalRun {
  readonly #options: LocalRunOptions
  readonly #graph: Graph
  readonly #env: Environment
  readonly #machine: RunMachine
  readonly #line: InstanceId[]
  #head = 0
  #running = 0
  #ids = 0
  #timers: Set<() => void> | undefined
  #pumping = false
  #stopListening: (() => void) | undefined
  #resolve: ((state: RunState) => void) | undefined
  #reject: ((error: unknown) => void) | undefined

  constructor(options: LocalRunOptions) {
    const { graph, run, env } = options
    this.#options = options
    this.#graph = graph
    this.#machine =
      options.begun?.machine ?? RunMachine.create(run, env.clock.now(), localMachine(graph, options.onEvent))
    this.#line = [...(options.begun?.line ?? [])]
    this.#env = {
      serializer: env.serializer,
      clock: env.clock,
      random: env.random,
      newId: env.newId,
      logger: env.logger,
      deadlines: env.deadlines,
      workerId: WORKER_ID,
      abandonAfterMs: defaults.abandonAfterMs,
      contextOf: () => this.#context,
      commit: (transition) => this.#apply(transition),
    }
  }

  /** Resolves when the run has ended, or waits for an outside that nothing here can bring news from. */
  finish(): Promise<RunState> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      const { run, signal } = this.#options
      const { deadlineAtMs } = this.#machine.state.head
      if (deadlineAtMs !== undefined) this.#at(deadlineAtMs, () => this.#notifyDeadline())
      if (signal !== undefined) this.#listen(signal)
      // Whoever hands over may be in the middle of a node's function, and says when to go on.
      if (this.#options.begun !== undefined) return
      for (const instanceId of run.starts) this.#enqueueAt(instanceId)
      this.pump()
    })
  }

  /** Goes on with an attempt that is under way. */
  adopt(claim: Claim, begun: { readonly input: unknown }, begunAtMs: number): Attempt {
    const attempt: Attempt = new Attempt(this.#graph, claim, this.#env, begunAtMs)
    this.#running += 1
    attempt.adopt(begun.input, (end) => this.#resume(attempt, end))
    return attempt
  }

  get #context(): ContextSource {
    const { context } = this.#machine.state
    return {
      read(keys) {
        const found = new Map<string, ContextEntry>()
        for (const key of keys) {
          const entry = context.get(key)
          if (entry !== undefined) found.set(key, entry)
        }
        return found
      },
      readAll: () => new Map(context),
    }
  }

  /** Starts what waits in line, as far as places are free; ends the run's promise when nothing is left to start. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#running < this.#options.concurrency && this.#head < this.#line.length) {
        const claim = this.#claim(this.#line[this.#head++] as InstanceId)
        if (claim !== undefined) this.#goOn(claim)
      }
    } catch (error) {
      this.#stop()
      this.#reject?.(error)
      return
    } finally {
      this.#pumping = false
    }
    const { status } = this.#machine.state
    const isIdle = this.#running === 0 && this.#head >= this.#line.length
    const nothingTimed = this.#timers === undefined || this.#timers.size === 0
    if (isTerminal(status) || (isIdle && nothingTimed)) this.#settle()
  }

  #settle(): void {
    this.#stop()
    this.#resolve?.(this.#machine.state)
  }

  #stop(): void {
    for (const cancel of this.#timers ?? []) cancel()
    this.#stopListening?.()
  }

  #claim(instanceId: InstanceId): Claim | undefined {
    const needs = nodeOf(this.#graph, nodeOfInstance(instanceId)).needs
    const request = {
      runId: this.#options.run.runId,
      instanceId,
      claimId: this.#nextId(),
      workerId: WORKER_ID,
      leaseMs: NEVER,
      ...needs,
    }
    const result = this.#machine.claim(request, this.#env.clock.now())
    return result.status === 'claimed' ? result.claim : undefined
  }

  /** Works on from a claim, inline, until there is nothing to go on with or an attempt has to be waited for. */
  #goOn(first: Claim): void {
    this.#running += 1
    let claim: Claim | undefined = first
    while (claim !== undefined) {
      const attempt: Attempt = new Attempt(this.#graph, claim, this.#env, this.#env.clock.now())
      const end = attempt.run((later) => this.#resume(attempt, later))
      if (end === undefined) return
      claim = this.#commit(attempt, end)
    }
    this.#running -= 1
  }

  #resume(attempt: Attempt, end: AttemptEnd): void {
    try {
      const claim = this.#commit(attempt, end)
      this.#running -= 1
      if (claim !== undefined) this.#goOn(claim)
      this.pump()
    } catch (error) {
      this.#stop()
      this.#reject?.(error)
    }
  }

  #commit(attempt: Attempt, end: AttemptEnd): Claim | undefined {
    if (end.type === 'lost') return undefined
    const { candidates } = attempt.node
    const result = this.#apply({
      runId: this.#options.run.runId,
      instanceId: attempt.claim.instanceId,
      fence: attempt.claim.fence,
      // One fence, one end: unique within the instance, and that is all a commit's id has to be.
      commitId: String(attempt.claim.fence),
      outcome: end,
      next: { workerId: WORKER_ID, leaseMs: NEVER, candidates: candidates ?? NO_CANDIDATES },
    })
    if (result.status === 'conflict') {
      const error = { name: 'BatonError', code: 'DELTA_CONFLICT', message: result.message }
      return this.#commit(attempt, attempt.failWith(error, true))
    }
    if (result.status !== 'committed') return undefined
    for (const instanceId of result.ready) this.#line.push(instanceId)
    if (end.type === 'failed' || (end.type === 'succeeded' && end.cancels !== undefined)) this.#interruptCalledOff()
    if (end.type === 'retried' || end.type === 'slept' || end.type === 'awaited') this.#enqueueAt(attempt.instanceId)
    return result.claim
  }

  #apply(transition: Transition): CommitResult {
    const result = this.#machine.commit(transition, this.#env.clock.now())
    if (result.status === 'committed' && result.run.stopping) this.#interruptAll()
    return result
  }

  #interruptAll(): void {
    const { runId } = this.#options.run
    for (const timed of [...this.#env.deadlines]) {
      if (timed instanceof Attempt && timed.runId === runId) timed.interrupt('cancelled')
    }
  }

  /** The losers of a join and the items of a failed map that are still running. */
  #interruptCalledOff(): void {
    const { runId } = this.#options.run
    for (const timed of [...this.#env.deadlines]) {
      if (!(timed instanceof Attempt) || timed.runId !== runId) continue
      if (this.#machine.state.instances.get(timed.instanceId)?.calledOff === true) timed.interrupt('cancelled')
    }
  }

  /** Puts an instance in line when its time comes. */
  #enqueueAt(instanceId: InstanceId): void {
    const instance = this.#machine.state.instances.get(instanceId)
    if (instance === undefined || instance.dueAtMs === NEVER || instance.status === 'claimed') return
    if (instance.dueAtMs <= this.#env.clock.now()) {
      if (!this.#line.includes(instanceId, this.#head)) this.#line.push(instanceId)
      return
    }
    this.#at(instance.dueAtMs, () => {
      // Timers may fire a moment before the clock says so; then it waits once more.
      this.#enqueueAt(instanceId)
      this.pump()
    })
  }

  #at(atMs: number, callback: () => void): void {
    this.#timers ??= new Set()
    const timers = this.#timers
    const { clock } = this.#env
    const cancel = clock.after(Math.max(0, atMs - clock.now()), () => {
      timers.delete(cancel)
      callback()
    })
    timers.add(cancel)
  }

  #notifyDeadline(): void {
    this.#machine.notify({ type: 'deadline', runId: this.#options.run.runId }, this.#env.clock.now())
    this.#interruptAll()
    this.pump()
  }

  #listen(signal: AbortSignal): void {
    const cancel = () => {
      const { runId } = this.#options.run
      this.#machine.notify({ type: 'cancel', runId, reason: reasonOf(signal) }, this.#env.clock.now())
      this.#interruptAll()
      this.pump()
    }
    if (signal.aborted) return cancel()
    signal.addEventListener('abort', cancel, { once: true })
    this.#stopListening = () => signal.removeEventListener('abort', cancel)
  }

  #nextId(): string {
    return String(this.#ids++)
  }
}

/** No sweep reminds of anything here, and no answer is lost. */
export function localMachine(graph: Graph, onEvent?: (event: RunEvent) => void): MachineOptions {
  return { redispatchMs: NEVER, onEvent, forgets: (nodeId) => graph.nodes.get(nodeId)?.meetsOnce === true }
}

/** Why a run is cancelled when a signal fires. */
export function reasonOf(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason.message : String(reason ?? 'aborted')
}
