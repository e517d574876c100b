/**
 * The durable calls of one attempt: `step`, `sleep`, `waitForSignal`, `approval`, `runChild`, `startChild`,
 * `signalRun`, `startRun`, `cancelRun`.
 *
 * Each call has a position, counted from the function's entry. What was recorded at a position is fed back; what was
 * not is done and recorded (a step), or ends the invocation (a wait): the outcome is committed, the function's promise
 * is left hanging and forgotten, and when the wait is over the function is entered again from the top. That is why the
 * calls must come in the same order every time.
 */

import type { TrackedAsyncContext } from '../context/tracked-context.ts'
import { assertOptions, checkOptions, checkText } from '../model/check-options.ts'
import type { Delta } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import { type InstanceId, parseRunId, parseSignalName, type RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import type { ApprovalDecision, RecordedStep, StepKind } from '../model/run.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Claim } from '../ports/claim.ts'
import type { Outcome } from '../ports/transition.ts'
import { childRun } from './child-run.ts'
import { continuedRun } from './continue-as-new.ts'
import type { Environment } from './environment.ts'
import { independentRun } from './independent-run.ts'
import type {
  ApprovalOptions,
  ChildHandle,
  ChildOptions,
  ContinueOptions,
  RunChildOptions,
  StartRunOptions,
  StepFunction,
  WaitOptions,
} from './node-function.ts'
import type { RunnableFlow } from './registry.ts'
import { Replay } from './replay.ts'
import { outputOrThrow, type RunResult, resultOf } from './result.ts'

interface Invocation {
  readonly claim: Claim
  readonly runId: RunId
  readonly instanceId: InstanceId
  readonly context: TrackedAsyncContext
  readonly isOver: boolean
  takeDeltas(): readonly Delta[]
}

export interface DurableHooks {
  /** Ends the invocation with this outcome. */
  park(outcome: Outcome): void
  /** Another worker has the instance. */
  lose(): void
  /**
   * Asks the store. Where it stays away for too long, the instance is handed back and the answer never comes: an outage
   * is no failure of the node.
   */
  orGiveBack<Answer>(ask: () => Awaitable<Answer>): Promise<Answer>
  /** The run is being cancelled. */
  stop(): void
}

export class DurableCalls {
  readonly #invocation: Invocation
  readonly #env: Environment
  readonly #hooks: DurableHooks
  readonly #recorded: ReadonlyMap<number, RecordedStep>
  readonly #replay: Replay
  /** The function of a step is being called: what it asks for before its first wait is known to be inside of it. */
  #isEnteringStep = false
  readonly #running = new Set<Promise<unknown>>()
  readonly #names = new Map<string, number>()
  #position = 0
  #mustRest = false

  constructor(invocation: Invocation, env: Environment, hooks: DurableHooks) {
    this.#invocation = invocation
    this.#env = env
    this.#hooks = hooks
    this.#recorded = new Map(invocation.claim.steps.map((step) => [step.position, step]))
    this.#replay = new Replay(invocation.claim.steps)
  }

  async step<Result>(name: string, fn: StepFunction<Result>): Promise<Result> {
    checkStepName(name)
    const { position, recorded } = this.#enter('step', name)
    if (recorded !== undefined) {
      await this.#replay.turnOf(position)
      return this.#decode(recorded.result) as Result
    }
    if (this.#mustRest) return this.#rest()
    const work = this.#runStep(position, name, fn)
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }

  async checkpoint(name: string): Promise<void> {
    parseSignalName(name, 'checkpoint')
    const { position, recorded } = this.#enter('checkpoint', name)
    if (recorded !== undefined) return this.#replay.turnOf(position)
    if (this.#mustRest) return this.#rest()
    await this.#record({ type: 'stepped', step: { position, kind: 'checkpoint', name } })
  }

  async sleep(duration: number | { readonly untilMs: number }): Promise<void> {
    const { position, recorded } = this.#enter('sleep', 'sleep')
    if (recorded !== undefined) return this.#replay.turnOf(position)
    const isInstant = typeof duration === 'object' && duration !== null && 'untilMs' in duration
    const times = isInstant ? { wakeAtMs: checkMs(duration.untilMs) } : { delayMs: checkMs(duration) }
    return this.#park({ type: 'slept', step: { position, kind: 'sleep', name: 'sleep' }, ...times })
  }

  async waitForSignal<Payload>(name: string, options: WaitOptions = {}): Promise<Payload> {
    parseSignalName(name)
    checkOptions(options, ['timeoutMs'] satisfies (keyof WaitOptions)[])
    const { position, recorded } = this.#enter('signal', name)
    if (recorded !== undefined) await this.#replay.turnOf(position)
    if (recorded?.timedOut === true) throw this.#timedOut(`signal ${name}`)
    if (recorded !== undefined) return this.#decode(recorded.result) as Payload
    return this.#park({
      type: 'awaited',
      step: { position, kind: 'signal', name },
      wait: { kind: 'signal', name },
      ...timeoutOf(options),
    })
  }

  async approval(name: string, options: ApprovalOptions = {}): Promise<ApprovalDecision> {
    parseSignalName(name, 'approval')
    checkOptions(options, ['timeoutMs', 'request'] satisfies (keyof ApprovalOptions)[])
    const { position, recorded, occurrence } = this.#enter('approval', name)
    if (recorded !== undefined) await this.#replay.turnOf(position)
    if (recorded?.timedOut === true) throw this.#timedOut(`approval ${name}`)
    if (recorded !== undefined) return this.#decided(name, recorded.result)
    const id = `${this.#invocation.instanceId}:${name}${occurrence === 1 ? '' : `#${occurrence}`}`
    const { request } = options
    const encoded = request === undefined ? {} : { request: this.#env.serializer.encode(request, 'request') }
    return this.#park({
      type: 'awaited',
      step: { position, kind: 'approval', name },
      wait: { kind: 'approval', name: id, ...encoded },
      ...timeoutOf(options),
    })
  }

  /** Starts a run of its own, and goes on. */
  async startChild<Output>(
    flow: RunnableFlow | string,
    input?: unknown,
    options: ChildOptions = {},
  ): Promise<ChildHandle<Output>> {
    const { position, recorded } = this.#enter('start-child', idOf(flow))
    if (recorded !== undefined) await this.#replay.turnOf(position)
    const runId =
      recorded === undefined ? await this.#sendStart(position, flow, input, options) : String(recorded.result)
    const result = (waitOptions: WaitOptions = {}) => this.#awaitChild<Output>(parseRunId(runId), waitOptions)
    return { runId, result }
  }

  async #sendStart(position: number, flow: RunnableFlow | string, input: unknown, options: ChildOptions) {
    if (this.#mustRest) return this.#rest()
    const start = await childRun(this.#invocation.claim, { flow, input, options, position }, this.#env)
    const { flowId: name, runId } = start.run
    const step: RecordedStep = { position, kind: 'start-child', name, result: runId }
    await this.#record({ type: 'stepped', step, sends: [start] })
    return runId
  }

  /** Starts a run of its own, and waits for its output. */
  async runChild<Output>(flow: RunnableFlow | string, input?: unknown, given: RunChildOptions = {}): Promise<Output> {
    assertOptions(given)
    const { timeoutMs, ...options } = given
    const timeout = timeoutOf(timeoutMs === undefined ? {} : { timeoutMs })
    const { position, recorded } = this.#enter('child', idOf(flow))
    if (recorded !== undefined) return this.#childEnded<Output>(position, recorded)
    const start = await childRun(this.#invocation.claim, { flow, input, options, position }, this.#env)
    return this.#park({
      type: 'awaited',
      step: { position, kind: 'child', name: start.run.flowId },
      wait: { kind: 'child', name: start.run.runId },
      sends: [start],
      ...timeout,
    })
  }

  async #awaitChild<Output>(runId: RunId, options: WaitOptions): Promise<Output> {
    checkOptions(options, ['timeoutMs'] satisfies (keyof WaitOptions)[])
    const { position, recorded } = this.#enter('child', runId)
    if (recorded !== undefined) return this.#childEnded<Output>(position, recorded)
    return this.#park({
      type: 'awaited',
      step: { position, kind: 'child', name: runId },
      wait: { kind: 'child', name: runId },
      ...timeoutOf(options),
    })
  }

  async #childEnded<Output>(position: number, recorded: RecordedStep): Promise<Output> {
    await this.#replay.turnOf(position)
    if (recorded.timedOut === true) throw this.#timedOut(`end of child ${recorded.name}`)
    const end = recorded.result as unknown as ChildEnd & { readonly runId: RunId }
    return outputOrThrow(resultOf<Output>(end, this.#env.serializer) as RunResult<Output>)
  }

  /** Ends the run; a new one goes on. Nothing is recorded here: there is nothing to come back to. */
  async continueAsNew(input?: unknown, options: ContinueOptions = {}): Promise<never> {
    const { claim } = this.#invocation
    this.#enter('continue', claim.head.flowId)
    const continueAs = await continuedRun(claim.head, { input, options }, this.#env)
    await this.#stepsEnded()
    const deltas = this.#invocation.takeDeltas()
    return this.#park({
      type: 'succeeded',
      arrivals: [],
      ...(deltas.length === 0 ? {} : { deltas }),
      continueAs,
    })
  }

  /** Sends a signal to another run, once. */
  async signalRun(to: string, name: string, payload?: unknown): Promise<void> {
    const runId = parseRunId(to)
    parseSignalName(name)
    const { position, recorded } = this.#enter('send-signal', name)
    if (recorded !== undefined) return this.#replay.turnOf(position)
    if (this.#mustRest) return this.#rest()
    const encoded = payload === undefined ? {} : { payload: this.#env.serializer.encode(payload, 'payload') }
    const key = `signal:${this.#invocation.instanceId}:${position}`
    const message: RunMessage = { key, to: runId, body: { type: 'signal', name, ...encoded } }
    const step: RecordedStep = { position, kind: 'send-signal', name }
    await this.#record({ type: 'stepped', step, sends: [{ type: 'message', message }] })
  }

  /** Starts a run that is nobody's child. */
  async startRun(flow: RunnableFlow | string, input?: unknown, options: StartRunOptions = {}): Promise<RunId> {
    const { position, recorded } = this.#enter('start-run', idOf(flow))
    if (recorded !== undefined) {
      await this.#replay.turnOf(position)
      return parseRunId(recorded.result)
    }
    const run = await independentRun(this.#invocation.claim, { flow, input, options, position }, this.#env)
    const { runId, flowId: name } = run
    const step: RecordedStep = { position, kind: 'start-run', name, result: runId }
    const message: RunMessage = { key: `start:${runId}`, to: runId, body: { type: 'start', run } }
    await this.#record({ type: 'stepped', step, sends: [{ type: 'message', message }] })
    return runId
  }

  /** Asks another run to stop, once. */
  async cancelRun(to: string, reason = `cancelled by ${this.#invocation.runId}`): Promise<void> {
    const runId = parseRunId(to)
    checkText(reason, 'reason')
    const { position, recorded } = this.#enter('cancel-run', runId)
    if (recorded !== undefined) return this.#replay.turnOf(position)
    const key = `cancel-run:${this.#invocation.instanceId}:${position}`
    const message: RunMessage = { key, to: runId, body: { type: 'cancel-run', reason } }
    const step: RecordedStep = { position, kind: 'cancel-run', name: runId }
    await this.#record({ type: 'stepped', step, sends: [{ type: 'message', message }] })
  }

  /** Counts the call, and checks that what was recorded at its place is the same call. */
  #enter(
    kind: StepKind | 'continue',
    name: string,
  ): { position: number; occurrence: number; recorded: RecordedStep | undefined } {
    if (this.#invocation.isOver) throw new BatonError('ATTEMPT_ENDED', { field: kind })
    if (this.#isEnteringStep) {
      const hint = 'A step is one thing that is done once. Sleep, wait or take further steps after it.'
      throw new BatonError('INVALID_OPTION', { field: `${kind} ${name}`, message: 'asked for inside a step', hint })
    }
    const position = this.#position++
    const key = `${kind} ${name}`
    const occurrence = (this.#names.get(key) ?? 0) + 1
    this.#names.set(key, occurrence)
    const recorded = this.#recorded.get(position)
    if (recorded !== undefined && (recorded.kind !== kind || recorded.name !== name)) {
      throw new BatonError('STEPS_DIVERGED', {
        field: `${this.#invocation.instanceId} call ${position}`,
        message: `the journal has ${recorded.kind} ${recorded.name} there, the code asks for ${kind} ${name}`,
      })
    }
    return { position, occurrence, recorded }
  }

  async #runStep<Result>(position: number, name: string, fn: StepFunction<Result>): Promise<Result> {
    const env = this.#env
    const context = this.#invocation.context.fork()
    let encoded: JsonValue | undefined
    try {
      const result = await this.#callStep(() => fn({ context }))
      encoded = result === undefined ? undefined : env.serializer.encode(result, `step ${name}`)
      const deltas = context.takeDeltas()
      const step: RecordedStep = { position, kind: 'step', name, ...(encoded === undefined ? {} : { result: encoded }) }
      await this.#record({ type: 'stepped', step, ...(deltas.length === 0 ? {} : { deltas }) })
    } catch (thrown) {
      context.drop()
      throw thrown
    }
    context.keep()
    // What the attempts after a crash will see, this one sees too: a copy that went through the serializer.
    return (encoded === undefined ? undefined : env.serializer.decode(encoded)) as Result
  }

  #callStep<Result>(call: () => Result): Result {
    this.#isEnteringStep = true
    try {
      return call()
    } finally {
      this.#isEnteringStep = false
    }
  }

  async #record(outcome: Outcome): Promise<void> {
    const env = this.#env
    const { claim, runId, instanceId } = this.#invocation
    const transition = { runId, instanceId, fence: claim.fence, commitId: env.newId(), outcome }
    const answer = await this.#hooks.orGiveBack(() => env.commit(transition, claim.attempt))
    switch (answer.status) {
      case 'committed':
      case 'already-committed':
        if (answer.status === 'committed' && answer.sent !== undefined) await env.deliver(runId, answer.sent)
        if (answer.run.stopping) this.#hooks.stop()
        this.#mustRest = env.isJournalFull(answer.run)
        return
      case 'conflict':
        throw new BatonError(answer.code, { field: answer.field, message: answer.message })
      case 'too-large':
        throw new BatonError('TOO_LARGE', {
          field: 'step',
          message: `the store takes ${answer.limitBytes} bytes at most`,
        })
      default:
        this.#hooks.lose()
        return forever()
    }
  }

  /** Ends the invocation; steps that still run are recorded first. */
  async #park(outcome: Outcome): Promise<never> {
    await this.#stepsEnded()
    this.#hooks.park(outcome)
    return forever()
  }

  /** A full journal takes no more steps: the instance is handed back, and the function entered again when there is room. */
  #rest(): Promise<never> {
    return this.#park({ type: 'released' })
  }

  async #stepsEnded(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  #decided(name: string, result: JsonValue | undefined): ApprovalDecision {
    const raw = (result ?? { approved: false }) as unknown as ApprovalDecision
    const decision = raw.payload === undefined ? raw : { ...raw, payload: this.#decode(raw.payload) as JsonValue }
    if (decision.approved) return decision
    const who = decision.by === undefined ? '' : ` by ${decision.by}`
    const why = decision.reason === undefined ? '' : `: ${decision.reason}`
    throw new BatonError('APPROVAL_DENIED', { field: name, message: `denied${who}${why}`, cause: decision })
  }

  #decode(result: JsonValue | undefined): unknown {
    return result === undefined ? undefined : this.#env.serializer.decode(result)
  }

  #timedOut(what: string): BatonError {
    return new BatonError('WAIT_TIMEOUT', { field: this.#invocation.instanceId, message: `no ${what} came in time` })
  }
}

function idOf(flow: RunnableFlow | string): string {
  return typeof flow === 'string' ? flow : flow.toBlueprint().id
}

function checkStepName(name: unknown): void {
  if (typeof name === 'string' && name.length >= 1 && name.length <= 512) return
  throw new BatonError('INVALID_ID', { field: 'step', message: 'a step is named by a text of 1 to 512 characters' })
}

function timeoutOf({ timeoutMs }: WaitOptions): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs: checkMs(timeoutMs) }
}

function checkMs(ms: unknown): number {
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return ms
  const hint = 'Times are numbers: 60_000 is a minute, { untilMs } an instant.'
  throw new BatonError('INVALID_OPTION', {
    field: 'duration',
    message: `not a time in milliseconds: ${String(ms)}`,
    hint,
  })
}

/** A promise that nobody settles and nobody holds: what waits for it is collected with it. */
export function forever(): Promise<never> {
  return new Promise<never>(() => {})
}
