/**
 * One run, in this process, with nobody watching: the same machine, attempts and decisions as a worker's, driven
 * without what nobody observes (claims by others, leases, a journal, copies of values).
 *
 * It keeps to the order of a worker with one queue: go on inline with the first instance made ready, put the others at
 * the end of the line.
 */
import { Attempt, type AttemptEnd } from '../engine/attempt.ts'
import type { Environment } from '../engine/environment.ts'
import { firstWords } from '../engine/first-words.ts'
import { type Graph, nodeOf } from '../engine/graph.ts'
import { endOfState } from '../engine/tell-end.ts'
import { RunMachine } from '../machine/run-machine.ts'
import type { RunEvent } from '../model/event.ts'
import { gateOf } from '../model/gate.ts'
import { type InstanceId, nodeOfInstance, type RunId } from '../model/ids.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import { isTerminal, type NewRun } from '../model/run.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import type { Claim } from '../ports/claim.ts'
import type { Notice } from '../ports/notice.ts'
import type { CommitResult, Transition } from '../ports/transition.ts'
import { cancelOnAbort } from './cancel-on-abort.ts'
import { interruptAttempts, interruptCalledOff } from './interrupt-attempts.ts'
import { localContext } from './local-context.ts'
import { LocalDue, type TimedRun } from './local-due.ts'
import { type LocalSurroundings, localEnvironment, localMachine, WORKER_ID } from './local-environment.ts'
import { LocalFamily, type Relative } from './local-family.ts'
import { type InLine, LocalLine } from './local-line.ts'

export interface LocalRunOptions {
  readonly graph: Graph
  readonly run: NewRun
  readonly env: LocalSurroundings
  /** Instances that run at the same time. */
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Of a run that began elsewhere: its machine, and what waits in line. */
  readonly begun?: { readonly machine: RunMachine; readonly line: readonly InstanceId[] }
  /** Of a child: its relatives, and the line that it shares with them. */
  readonly relatives?: { readonly family: LocalFamily; readonly line: LocalLine }
}

const NO_CANDIDATES: readonly never[] = []

export class LocalRun implements Relative, InLine, TimedRun {
  readonly #options: LocalRunOptions
  readonly #graph: Graph
  readonly #env: Environment
  readonly #machine: RunMachine
  readonly #line: LocalLine
  /** Of this run: how many run, and how many wait in line. */
  #running = 0
  #waiting = 0
  #ids = 0
  readonly #due: LocalDue
  #family: LocalFamily | undefined
  #activeChildren = 0
  /** Its end, or its rest, is that of all of them. */
  #isFirst: boolean
  #stopListening: (() => void) | undefined
  #resolve: ((state: RunState) => void) | undefined
  #reject: ((error: unknown) => void) | undefined

  constructor(options: LocalRunOptions) {
    const { graph, run, env } = options
    this.#options = options
    this.#graph = graph
    this.#machine =
      options.begun?.machine ?? RunMachine.create(run, env.clock.now(), localMachine(graph, options.onEvent))
    this.#line = options.relatives?.line ?? new LocalLine(options.concurrency)
    this.#family = options.relatives?.family
    this.#isFirst = options.relatives === undefined
    this.#due = new LocalDue(this, this.#machine.state, env.clock)
    for (const instanceId of options.begun?.line ?? []) this.#push(instanceId)
    this.#env = localEnvironment(env, {
      contextOf: () => localContext(this.#machine.state),
      isTaken: (runId) => this.#family?.has(runId) === true,
      commit: (transition) => this.#apply(transition),
      deliver: async (_runId, messages) => this.#tell(messages),
    })
  }

  /** Resolves when the run has ended, or waits for an outside that nothing here can bring news from. */
  finish(): Promise<RunState> {
    const { signal, begun } = this.#options
    const rested = this.begin()
    if (signal !== undefined) this.#listen(signal)
    // Whoever hands over may be in the middle of a node's function, and says when to go on.
    if (begun === undefined) this.pump()
    return rested
  }

  /** As `finish`, but for whoever sees to it that the line goes on. */
  begin(): Promise<RunState> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#start()
    })
  }

  #start(): void {
    const { run, begun } = this.#options
    this.#due.awaitDeadline()
    if (begun !== undefined) return
    for (const instanceId of run.starts) this.#due.enqueue(instanceId)
    if (run.gates !== undefined) this.#due.awaitStart(run.startAtMs)
  }

  /** Goes on with an attempt that is under way. */
  adopt(claim: Claim, begun: { readonly input: unknown }, begunAtMs: number): Attempt {
    const attempt: Attempt = new Attempt(this.#graph, claim, this.#env, begunAtMs)
    this.#occupy(1)
    attempt.adopt(begun.input, (end) => this.#resume(attempt, end))
    return attempt
  }

  get runId(): RunId {
    return this.#options.run.runId
  }

  get lineage(): NewRun['lineage'] {
    return this.#options.run.lineage
  }

  /** News from a relative. */
  notify(notice: Notice): void {
    const result = this.#machine.notify(notice, this.#env.clock.now())
    if (result.status !== 'accepted') return
    if (result.run.stopping) interruptAttempts(this.#env.deadlines, this.runId)
    for (const instanceId of result.ready) this.#push(instanceId)
    this.#tell(result.sent)
    this.pump()
  }

  isSameStart(run: NewRun): boolean {
    return this.#machine.isSameStart(run)
  }

  get hasEnded(): boolean {
    return isTerminal(this.#machine.state.status)
  }

  end(): ChildEnd {
    return endOfState(this.#machine.state)
  }

  childBegan(): void {
    this.#activeChildren += 1
  }

  childRests(error?: unknown): void {
    this.#activeChildren -= 1
    if (error === undefined) return this.pump()
    this.#break(error)
  }

  #tell(messages: readonly RunMessage[] | undefined): void {
    if (messages === undefined || messages.length === 0) return
    if (this.#family === undefined) {
      this.#family = new LocalFamily()
      this.#family.add(this)
    }
    const family = this.#family
    this.#machine.delivered(messages.map(({ key }) => key))
    family.deliver(this, messages, this.#options.env.limiters, {
      child: (run) => {
        const child = this.#relative(run, family)
        return { relative: child, rested: child.begin() }
      },
      successor: (run) => {
        const { signal, onEvent } = this.#options
        const successor = this.#relative(run, family, { signal, onEvent })
        successor.#goOnFor(this)
        return successor
      },
    })
  }

  #relative(run: NewRun, family: LocalFamily, more: Pick<LocalRunOptions, 'signal' | 'onEvent'> = {}): LocalRun {
    const { env, concurrency } = this.#options
    const relatives = { family, line: this.#line }
    // Not inside this commit: children of children of children would pile up on the stack.
    queueMicrotask(() => this.pump())
    const graph = env.toStart(run.flowId, run.version)
    return new LocalRun({ graph, run, env, concurrency, relatives, ...more })
  }

  /** Whoever waits for that run waits for this one from now on. */
  #goOnFor(before: LocalRun): void {
    this.#resolve = before.#resolve
    this.#reject = before.#reject
    this.#activeChildren = before.#activeChildren
    before.#resolve = undefined
    this.#isFirst = before.#isFirst
    before.#reject = undefined
    this.#start()
    if (this.#options.signal !== undefined) this.#listen(this.#options.signal)
  }

  /** Starts what waits in line, as far as places are free; ends the run's promise when nothing is left to start. */
  pump(): void {
    this.#line.pump(this)
  }

  take(instanceId: InstanceId): void {
    this.#waiting -= 1
    try {
      const claim = this.#claim(instanceId)
      if (claim !== undefined) this.#goOn(claim)
    } catch (error) {
      this.#break(error)
    }
  }

  rest(): void {
    const { status } = this.#machine.state
    const isIdle = this.#running === 0 && this.#waiting === 0
    const isAtGate = gateOf(this.#machine.state) !== undefined
    if (isTerminal(status) || (isIdle && this.#due.isEmpty && !isAtGate && this.#activeChildren === 0)) this.#settle()
  }

  /** Its time has come. */
  enqueue(instanceId: InstanceId): void {
    if (!this.#line.has(this, instanceId)) this.#push(instanceId)
  }

  /** Its time has come: it may ask at its gates. */
  askAtGate(nowMs: number): void {
    this.#tell(firstWords(this.#options.run, nowMs))
  }

  #push(instanceId: InstanceId): void {
    this.#waiting += 1
    this.#line.push(this, instanceId)
  }

  #occupy(places: number): void {
    this.#running += places
    this.#line.running += places
  }

  /** Nobody goes on with it: what it has of limits is free for others. */
  abandon(): void {
    const { head, status } = this.#machine.state
    if (isTerminal(status)) return
    for (const { limiter } of head.gates ?? []) this.#options.env.limiters.release(this, limiter)
  }

  #break(error: unknown): void {
    this.#stop()
    this.abandon()
    this.#reject?.(error)
  }

  #settle(): void {
    this.#stop()
    if (this.#isFirst && !isTerminal(this.#machine.state.status)) {
      this.abandon()
      this.#family?.abandon()
    }
    this.#resolve?.(this.#machine.state)
  }

  #stop(): void {
    this.#due.stop()
    this.#stopListening?.()
  }

  #claim(instanceId: InstanceId): Claim | undefined {
    const needs = nodeOf(this.#graph, nodeOfInstance(instanceId)).needs
    const request = {
      runId: this.#options.run.runId,
      instanceId,
      claimId: String(this.#ids++),
      workerId: WORKER_ID,
      leaseMs: NEVER,
      ...needs,
    }
    const result = this.#machine.claim(request, this.#env.clock.now())
    return result.status === 'claimed' ? result.claim : undefined
  }

  /** Works on from a claim, inline, until there is nothing to go on with or an attempt has to be waited for. */
  #goOn(first: Claim): void {
    this.#occupy(1)
    let claim: Claim | undefined = first
    while (claim !== undefined) {
      const attempt: Attempt = new Attempt(this.#graph, claim, this.#env, this.#env.clock.now())
      const end = attempt.run((later) => this.#resume(attempt, later))
      if (end === undefined) return
      claim = this.#commit(attempt, end)
    }
    this.#occupy(-1)
  }

  #resume(attempt: Attempt, end: AttemptEnd): void {
    try {
      const claim = this.#commit(attempt, end)
      this.#occupy(-1)
      if (claim !== undefined) this.#goOn(claim)
      this.pump()
    } catch (error) {
      this.#break(error)
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
      return this.#commit(attempt, attempt.refused(result))
    }
    if (result.status !== 'committed') return undefined
    for (const instanceId of result.ready) this.#push(instanceId)
    if (end.type === 'failed' || (end.type === 'succeeded' && end.cancels !== undefined)) {
      interruptCalledOff(this.#env.deadlines, this.#machine.state)
    }
    if (end.type === 'retried' || end.type === 'slept' || end.type === 'awaited') this.#due.enqueue(attempt.instanceId)
    this.#tell(result.sent)
    return result.claim
  }

  #apply(transition: Transition): CommitResult {
    const result = this.#machine.commit(transition, this.#env.clock.now())
    if (result.status !== 'committed') return result
    if (result.run.stopping) interruptAttempts(this.#env.deadlines, this.runId)
    return result
  }

  #listen(signal: AbortSignal): void {
    this.#stopListening = cancelOnAbort(signal, (reason) => {
      this.notify({ type: 'cancel', runId: this.runId, reason })
    })
  }
}
