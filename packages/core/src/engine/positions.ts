/**
 * The positions of the durable calls of one attempt, counted from the function's entry. What was recorded at a position is
 * fed back; what was not is done and recorded (a step), or ends the invocation (a wait): the outcome is committed, the
 * function's promise is left hanging and forgotten, and when the wait is over the function is entered again from the
 * top. That is why the calls must come in the same order every time.
 */
import type { TrackedAsyncContext } from '../context/tracked-context.ts'
import type { Delta } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { RecordedStep, StepKind } from '../model/run.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Claim } from '../ports/claim.ts'
import type { Outcome } from '../ports/transition.ts'
import type { Environment } from './environment.ts'
import { Replay } from './replay.ts'

/** The attempt whose calls these are. */
export interface Invocation {
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

/** Where a call stands. */
interface Place {
  readonly position: number
  /** Which of the calls of that kind and name it is. */
  readonly occurrence: number
  readonly recorded: RecordedStep | undefined
}

export class Positions {
  readonly invocation: Invocation
  readonly env: Environment
  readonly #hooks: DurableHooks
  readonly #recorded: ReadonlyMap<number, RecordedStep>
  readonly #replay: Replay
  /** The function of a step is being called: what it asks for before its first wait is known to be inside of it. */
  #isEnteringStep = false
  readonly #running = new Set<Promise<unknown>>()
  readonly #names = new Map<string, number>()
  #next = 0
  #mustRest = false

  constructor(invocation: Invocation, env: Environment, hooks: DurableHooks) {
    this.invocation = invocation
    this.env = env
    this.#hooks = hooks
    this.#recorded = new Map(invocation.claim.steps.map((step) => [step.position, step]))
    this.#replay = new Replay(invocation.claim.steps)
  }

  /** Counts the call, and checks that what was recorded at its place is the same call. */
  enter(kind: StepKind | 'continue', name: string): Place {
    if (this.invocation.isOver) throw new BatonError('ATTEMPT_ENDED', { field: kind })
    if (this.#isEnteringStep) {
      const hint = 'A step is one thing that is done once. Sleep, wait or take further steps after it.'
      throw new BatonError('INVALID_OPTION', { field: `${kind} ${name}`, message: 'asked for inside a step', hint })
    }
    const position = this.#next++
    const key = `${kind} ${name}`
    const occurrence = (this.#names.get(key) ?? 0) + 1
    this.#names.set(key, occurrence)
    const recorded = this.#recorded.get(position)
    if (recorded !== undefined && (recorded.kind !== kind || recorded.name !== name)) {
      throw new BatonError('STEPS_DIVERGED', {
        field: `${this.invocation.instanceId} call ${position}`,
        message: `the journal has ${recorded.kind} ${recorded.name} there, the code asks for ${kind} ${name}`,
      })
    }
    return { position, occurrence, recorded }
  }

  /** Resolves when what was recorded there may be fed back: in the order in which it happened. */
  turnOf(position: number): Promise<void> {
    return this.#replay.turnOf(position)
  }

  /** Calls the function of a step. */
  callStep<Result>(call: () => Result): Result {
    this.#isEnteringStep = true
    try {
      return call()
    } finally {
      this.#isEnteringStep = false
    }
  }

  /** A step runs: the invocation does not end before it does. */
  stepBegan(work: Promise<unknown>): void {
    this.#running.add(work)
  }

  stepEnded(work: Promise<unknown>): void {
    this.#running.delete(work)
  }

  /** Asks the store something: where it stays away the instance is handed back, and no failure of the node. */
  ask<Answer>(ask: () => Awaitable<Answer>): Promise<Answer> {
    return this.#hooks.orGiveBack(ask)
  }

  async record(outcome: Outcome): Promise<void> {
    const { env } = this
    const { claim, runId, instanceId } = this.invocation
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
  async park(outcome: Outcome): Promise<never> {
    await this.stepsEnded()
    this.#hooks.park(outcome)
    return forever()
  }

  /** The journal is full: it takes no more steps. */
  get mustRest(): boolean {
    return this.#mustRest
  }

  /** Hands the instance back; the function is entered again when there is room in the journal. */
  rest(): Promise<never> {
    return this.park({ type: 'released' })
  }

  async stepsEnded(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  decode(result: JsonValue | undefined): unknown {
    return result === undefined ? undefined : this.env.serializer.decode(result)
  }

  timedOut(what: string): BatonError {
    return new BatonError('WAIT_TIMEOUT', { field: this.invocation.instanceId, message: `no ${what} came in time` })
  }
}

/** A promise that nobody settles and nobody holds: what waits for it is collected with it. */
export function forever(): Promise<never> {
  return new Promise<never>(() => {})
}
