/**
 * The durable calls about other runs: `runChild`, `startChild`, `startRun`, `signalRun`, `cancelRun`, and
 * `continueAsNew`. What another run is to be told is part of the commit that records the call, so that it is told
 * once, however often the function is entered.
 */
import { assertOptions, checkOptions, checkText } from '../model/check-options.ts'
import { startMessage } from '../model/family.ts'
import { parseRunId, parseSignalName, type RunId } from '../model/ids.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import type { RecordedStep } from '../model/run.ts'
import { timeoutOf } from './check-ms.ts'
import { childRun } from './child-run.ts'
import { continuedRun } from './continue-as-new.ts'
import { independentRun } from './independent-run.ts'
import type {
  ChildHandle,
  ChildOptions,
  ContinueOptions,
  RunChildOptions,
  StartRunOptions,
  WaitOptions,
} from './node-function.ts'
import type { Positions } from './positions.ts'
import type { RunnableFlow } from './registry.ts'
import { outputOrThrow, type RunResult, resultOf } from './result.ts'

export class RunCalls {
  readonly #positions: Positions

  constructor(positions: Positions) {
    this.#positions = positions
  }

  /** Starts a run of its own, and goes on. */
  async startChild<Output>(
    flow: RunnableFlow | string,
    input?: unknown,
    options: ChildOptions = {},
  ): Promise<ChildHandle<Output>> {
    const { position, recorded } = this.#positions.enter('start-child', idOf(flow))
    if (recorded !== undefined) await this.#positions.turnOf(position)
    const runId =
      recorded === undefined ? await this.#sendStart(position, flow, input, options) : String(recorded.result)
    const result = (waitOptions: WaitOptions = {}) => this.#awaitChild<Output>(parseRunId(runId), waitOptions)
    return { runId, result }
  }

  async #sendStart(position: number, flow: RunnableFlow | string, input: unknown, options: ChildOptions) {
    const { invocation, env, mustRest } = this.#positions
    if (mustRest) return this.#positions.rest()
    const start = await childRun(invocation.claim, { flow, input, options, position }, env)
    const { flowId: name, runId } = start.run
    const step: RecordedStep = { position, kind: 'start-child', name, result: runId }
    await this.#positions.record({ type: 'stepped', step, sends: [start] })
    return runId
  }

  /** Starts a run of its own, and waits for its output. */
  async runChild<Output>(flow: RunnableFlow | string, input?: unknown, given: RunChildOptions = {}): Promise<Output> {
    assertOptions(given)
    const { timeoutMs, ...options } = given
    const timeout = timeoutOf(timeoutMs === undefined ? {} : { timeoutMs })
    const { position, recorded } = this.#positions.enter('child', idOf(flow))
    if (recorded !== undefined) return this.#childEnded<Output>(position, recorded)
    const { invocation, env } = this.#positions
    const start = await childRun(invocation.claim, { flow, input, options, position }, env)
    return this.#positions.park({
      type: 'awaited',
      step: { position, kind: 'child', name: start.run.flowId },
      wait: { kind: 'child', name: start.run.runId },
      sends: [start],
      ...timeout,
    })
  }

  async #awaitChild<Output>(runId: RunId, options: WaitOptions): Promise<Output> {
    checkOptions(options, ['timeoutMs'] satisfies (keyof WaitOptions)[])
    const { position, recorded } = this.#positions.enter('child', runId)
    if (recorded !== undefined) return this.#childEnded<Output>(position, recorded)
    return this.#positions.park({
      type: 'awaited',
      step: { position, kind: 'child', name: runId },
      wait: { kind: 'child', name: runId },
      ...timeoutOf(options),
    })
  }

  async #childEnded<Output>(position: number, recorded: RecordedStep): Promise<Output> {
    await this.#positions.turnOf(position)
    if (recorded.timedOut === true) throw this.#positions.timedOut(`end of child ${recorded.name}`)
    const end = recorded.result as unknown as ChildEnd & { readonly runId: RunId }
    return outputOrThrow(resultOf<Output>(end, this.#positions.env.serializer) as RunResult<Output>)
  }

  /** Ends the run; a new one goes on. Nothing is recorded here: there is nothing to come back to. */
  async continueAsNew(input?: unknown, options: ContinueOptions = {}): Promise<never> {
    const { invocation, env } = this.#positions
    const { head } = invocation.claim
    this.#positions.enter('continue', head.flowId)
    const isTaken = (runId: RunId) => this.#positions.ask(() => env.isTaken(runId))
    const continueAs = await continuedRun(head, { input, options }, { ...env, isTaken })
    await this.#positions.stepsEnded()
    const deltas = invocation.takeDeltas()
    return this.#positions.park({
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
    const { position, recorded } = this.#positions.enter('send-signal', name)
    if (recorded !== undefined) return this.#positions.turnOf(position)
    const { invocation, env, mustRest } = this.#positions
    if (mustRest) return this.#positions.rest()
    const encoded = payload === undefined ? {} : { payload: env.serializer.encode(payload, 'payload') }
    const key = `signal:${invocation.instanceId}:${position}`
    await this.#send(
      { position, kind: 'send-signal', name },
      { key, to: runId, body: { type: 'signal', name, ...encoded } },
    )
  }

  /** Starts a run that is nobody's child. */
  async startRun(flow: RunnableFlow | string, input?: unknown, options: StartRunOptions = {}): Promise<RunId> {
    const { position, recorded } = this.#positions.enter('start-run', idOf(flow))
    if (recorded !== undefined) {
      await this.#positions.turnOf(position)
      return parseRunId(recorded.result)
    }
    const { invocation, env } = this.#positions
    const run = await independentRun(invocation.claim, { flow, input, options, position }, env)
    const { runId, flowId: name } = run
    await this.#send({ position, kind: 'start-run', name, result: runId }, startMessage(run))
    return runId
  }

  /** Asks another run to stop, once. */
  async cancelRun(to: string, reason = `cancelled by ${this.#positions.invocation.runId}`): Promise<void> {
    const runId = parseRunId(to)
    checkText(reason, 'reason')
    const { position, recorded } = this.#positions.enter('cancel-run', runId)
    if (recorded !== undefined) return this.#positions.turnOf(position)
    const key = `cancel-run:${this.#positions.invocation.instanceId}:${position}`
    await this.#send(
      { position, kind: 'cancel-run', name: runId },
      { key, to: runId, body: { type: 'cancel-run', reason } },
    )
  }

  #send(step: RecordedStep, message: RunMessage): Promise<void> {
    return this.#positions.record({ type: 'stepped', step, sends: [{ type: 'message', message }] })
  }
}

function idOf(flow: RunnableFlow | string): string {
  return typeof flow === 'string' ? flow : flow.toBlueprint().id
}
