/**
 * One attempt of one node instance, from its claim to the outcome that a commit will make so.
 *
 *   judge ─► skip, fail, gather a map, turn a loop      (no code runs)
 *         └► run the node's function ─► succeeded, retried or failed
 *                │         └──────────► slept, awaited     (the function is entered again later)
 *                └─ interrupted ──────► retried (timeout), cancelled, released, or lost: nothing to commit
 *
 * The first ending counts. Whatever the function does afterwards is refused.
 */
import { defaults } from '../model/blueprint.ts'
import {
  BatonError,
  codedError,
  errors,
  isFatalError,
  isRetryableError,
  type RecordedError,
  readableError,
  recordError,
} from '../model/errors.ts'
import { type InstanceId, nodeOfInstance, type RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { retryDelayMs } from '../model/retry.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Claim } from '../ports/claim.ts'
import { wait } from '../ports/clock.ts'
import type { CommitResult, Outcome } from '../ports/transition.ts'
import { Timed } from './deadlines.ts'
import { afterFailure, afterItems, afterLast, afterSkip, afterSuccess, fail, judge } from './decide.ts'
import { holds } from './edge-code.ts'
import type { Environment } from './environment.ts'
import { type Graph, type GraphNode, nodeOf } from './graph.ts'
import { inputOf, rawInputOf } from './input.ts'
import { throughMiddleware } from './middleware.ts'
import { checkReturn, isPromise } from './node-return.ts'
import { NodeScope } from './node-scope.ts'
import { type DurableHooks, forever } from './positions.ts'
import { afterVisit } from './turn.ts'

/** `lost`: somebody else has the instance, or the run is gone. There is nothing to commit. */
export type AttemptEnd = Outcome | { readonly type: 'lost' }

export type Interruption = 'timeout' | 'cancelled' | 'released' | 'lost' | 'unreachable'

const LOST: AttemptEnd = { type: 'lost' }

export class Attempt extends Timed implements DurableHooks {
  readonly claim: Claim
  readonly node: GraphNode
  readonly untilMs: number
  readonly #graph: Graph
  readonly #env: Environment
  #onEnd: ((end: AttemptEnd) => void) | undefined
  #end: AttemptEnd | undefined
  #interruption: Interruption | undefined
  #cancelAbandon: (() => void) | undefined
  #codeRuns = false
  #onQuiet: (() => void) | undefined
  /** What its code is given. */
  readonly scope: NodeScope

  constructor(graph: Graph, claim: Claim, env: Environment, startedAtMs: number) {
    super()
    this.#graph = graph
    this.claim = claim
    this.#env = env
    this.node = nodeOf(graph, nodeOfInstance(claim.instanceId))
    this.untilMs = startedAtMs + (this.node.config.timeoutMs ?? defaults.nodeTimeoutMs)
    this.scope = new NodeScope(claim, this.node, env, this)
  }

  get runId(): RunId {
    return this.claim.head.runId
  }

  get instanceId(): InstanceId {
    return this.claim.instanceId
  }

  get attempt(): number {
    return this.claim.attempt
  }

  /**
   * Carries it out. Gives the end at once where the function, or the verdict without one, needs no waiting; else
   * `undefined`, and calls back later. That spares runs in memory a promise per node.
   */
  run(onEnd: (end: AttemptEnd) => void): AttemptEnd | undefined {
    const { node, claim } = this
    const verdict = judge(node, claim)
    switch (verdict.type) {
      case 'skip':
        return afterSkip(this.#graph, node, claim)
      case 'fail':
        return fail(this.#graph, node, claim, verdict.error)
      case 'gather':
        return this.#gather()
      case 'turn':
        return afterVisit(this.#graph, node, claim)
      case 'run':
        break
    }
    try {
      if (node.config.map !== undefined && claim.item === undefined) return this.#expand()
      this.scope.input = inputOf(node, claim, this.#env)
      const { middleware } = this.#env
      const returned: unknown =
        middleware === undefined ? node.fn(this.scope) : throughMiddleware(node.fn, this.scope, middleware)
      if (!isPromise(returned)) return this.#end ?? this.#succeed(returned)
      if (this.#end !== undefined) {
        // A wait that came before anything else has ended the invocation while the function was being called.
        returned.then(undefined, () => {})
        return this.#end
      }
      this.#onEnd = onEnd
      this.#env.deadlines.add(this)
      this.#codeRuns = true
      returned.then(
        (value) => this.resolve(value),
        (thrown: unknown) => this.reject(thrown),
      )
      return undefined
    } catch (thrown) {
      return this.#end ?? this.#fail(thrown)
    }
  }

  /** Takes over what somebody else has begun: the function was called already. `resolve` or `reject` follows. */
  adopt(input: unknown, onEnd: (end: AttemptEnd) => void): void {
    this.scope.input = input
    this.#onEnd = onEnd
    this.#codeRuns = true
    this.#env.deadlines.add(this)
  }

  /** What the function returned, or its promise was fulfilled with. */
  resolve(returned: unknown): void {
    this.#codeEnded()
    if (this.#end === undefined) this.#finish(this.#guard(() => this.#succeed(returned)))
  }

  reject(thrown: unknown): void {
    this.#codeEnded()
    if (this.#end === undefined) this.#finish(this.#fail(thrown))
  }

  /** The attempt's time is up: its lease ends with it, so its failure has to be recorded at once. */
  expire(): void {
    this.interrupt('timeout')
  }

  /** It was told to stop, for whatever reason. */
  get isInterrupted(): boolean {
    return this.#interruption !== undefined
  }

  /**
   * Fires the signal, and sees to it that the attempt ends: at once where its right has ended, else after
   * `abandonAfterMs` if the code ignores its signal.
   */
  interrupt(interruption: Interruption): void {
    if (this.#end !== undefined || this.#interruption === interruption) return
    this.#interruption = interruption
    const message = `attempt ${this.attempt} of ${this.instanceId} ended: ${interruption}`
    this.scope.fire(new BatonError('ATTEMPT_ENDED', { message, runId: this.runId }))
    if (interruption === 'lost') return this.#finish(LOST)
    if (interruption === 'unreachable') return this.#finish({ type: 'released' })
    if (interruption === 'timeout') return this.#finish(this.#timedOut())
    const cancel = this.#env.clock.after(this.#env.abandonAfterMs, () => {
      if (this.#end === undefined) this.#finish(this.#interrupted(interruption))
    })
    this.#cancelAbandon?.()
    this.#cancelAbandon = cancel
  }

  /** Resolves when the code has ended too, or after `abandonAfterMs`. */
  async whenQuiet(): Promise<void> {
    if (!this.#codeRuns) return
    const quiet = new AbortController()
    this.#onQuiet = () => quiet.abort()
    await wait(this.#env.clock, this.#env.abandonAfterMs, quiet.signal)
  }

  park(outcome: Outcome): void {
    // The function hangs for ever in its wait, and uses nothing.
    this.#codeEnded()
    this.#finish(outcome.type === 'succeeded' ? afterLast(this.#graph, this.node, this.claim, outcome) : outcome)
  }

  lose(): void {
    this.interrupt('lost')
  }

  stop(): void {
    this.interrupt('cancelled')
  }

  async orGiveBack<Answer>(ask: () => Awaitable<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      this.#env.logger.log('warn', 'the store stays away; handing back', { ...this.scope.logFields, error })
      this.interrupt('unreachable')
      return forever()
    }
  }

  #codeEnded(): void {
    this.#codeRuns = false
    this.#onQuiet?.()
  }

  #gather(): AttemptEnd {
    return this.#guard(() => afterItems(this.#graph, this.node, this.claim, (output) => this.#takenAfter(output)))
  }

  #expand(): Outcome {
    const { map = {} } = this.node.config
    const input = rawInputOf(this.node, this.claim, this.#env)
    if (!Array.isArray(input)) {
      throw new BatonError('INVALID_VALUE', {
        field: 'input',
        message: `map ${this.node.id} needs a list as its input`,
      })
    }
    const items = input as readonly JsonValue[]
    if (items.length === 0) {
      return afterSuccess(this.#graph, this.node, this.claim, { output: [], ...ifAny(this.#takenAfter([])) })
    }
    const { concurrency = defaults.mapConcurrency, maxFailures = 0 } = map
    return { type: 'expanded', items, concurrency, maxFailures }
  }

  #succeed(returned: unknown): Outcome {
    const { node } = this
    const { output, action } = checkReturn(returned)
    const encoded = output === undefined ? undefined : this.#env.serializer.encode(output, 'output')
    const outcome = afterSuccess(this.#graph, node, this.claim, {
      ...(encoded === undefined ? undefined : { output: encoded }),
      ...(action === undefined ? undefined : { action }),
      ...ifAny(this.claim.item === undefined ? this.#taken(output, action) : undefined),
    })
    const deltas = this.scope.takeDeltas()
    return deltas === undefined || deltas.length === 0 || outcome.type !== 'succeeded'
      ? outcome
      : { ...outcome, deltas }
  }

  /** Which of its edges are taken; undefined where all of them are, whatever it gives. */
  #taken(output: unknown, action: string | undefined): readonly boolean[] | undefined {
    if (this.node.plainArrivals !== undefined) return undefined
    return this.node.outgoing.map((edge) => {
      if (edge.action !== undefined && edge.action !== action) return false
      return holds(edge, output, action)
    })
  }

  /** The same for a map, whose output comes from the store. It has no action. */
  #takenAfter(output: readonly JsonValue[]): readonly boolean[] | undefined {
    if (this.node.plainArrivals !== undefined) return undefined
    return this.#taken(
      output.map((item) => this.#env.serializer.decode(item)),
      undefined,
    )
  }

  #guard(work: () => Outcome): AttemptEnd {
    try {
      return work()
    } catch (thrown) {
      return this.#fail(thrown)
    }
  }

  /** The outcome of an attempt whose code, input or output threw. */
  #fail(raw: unknown): Outcome {
    const thrown = readableError(raw)
    if (this.#interruption === 'cancelled' || this.#interruption === 'released')
      return this.#interrupted(this.#interruption)
    const denied = this.#deniedAction(thrown)
    if (denied !== undefined) return denied
    const error = recordError(thrown)
    this.#env.logger.log('warn', `attempt failed: ${error.message}`, this.scope.logFields)
    return this.failWith(error, mayRetry(thrown), isRetryableError(thrown) ? thrown.retryAfterMs : undefined)
  }

  /** The store refused the commit: a delta may fit another time, an id that is taken stays so. */
  refused({ code, message }: Extract<CommitResult, { status: 'conflict' }>): Outcome {
    return this.failWith({ name: 'BatonError', code, message }, errors[code].retryable)
  }

  /** @internal also for commits that the store refused */
  failWith(error: RecordedError, retryable: boolean, retryAfterMs?: number): Outcome {
    return afterFailure(this.#graph, this.node, this.claim, {
      error,
      mayRetry: retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      delayMs: retryDelayMs(this.node.config.retry ?? {}, this.claim.attempt, this.#env.random()),
    })
  }

  /** A denied approval is no failure where the node has an edge for it. */
  #deniedAction(thrown: unknown): Outcome | undefined {
    if (!BatonError.is(thrown, 'APPROVAL_DENIED') || this.claim.item !== undefined) return undefined
    if (!this.node.outgoing.some(({ action }) => action === 'denied')) return undefined
    return this.#succeed({ output: thrown.cause, action: 'denied' })
  }

  #timedOut(): Outcome {
    const ms = this.node.config.timeoutMs ?? defaults.nodeTimeoutMs
    this.#env.logger.log('warn', `attempt timed out after ${ms} ms`, this.scope.logFields)
    return this.failWith(codedError('NODE_TIMEOUT', `${this.instanceId} after ${ms} ms`), true)
  }

  #interrupted(interruption: 'cancelled' | 'released'): Outcome {
    return interruption === 'released' ? { type: 'released' } : { type: 'cancelled', reason: 'cancelled' }
  }

  #finish(end: AttemptEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.scope.close()
    this.#env.deadlines.remove(this)
    this.#cancelAbandon?.()
    this.#onEnd?.(end)
  }
}

function ifAny(taken: readonly boolean[] | undefined): { readonly taken: readonly boolean[] } | undefined {
  return taken === undefined ? undefined : { taken }
}

function mayRetry(thrown: unknown): boolean {
  if (isFatalError(thrown)) return false
  if (isRetryableError(thrown)) return true
  return !BatonError.is(thrown) || thrown.retryable
}
