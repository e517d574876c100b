/**
 * The durable calls of one attempt: `step`, `checkpoint`, `sleep`, `waitForSignal`, `approval`; those about other runs are
 * in `run-calls.ts`. Each stands at a position, `positions.ts`: what was recorded there is fed back.
 */
import { checkOptions } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import { parseSignalName } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { ApprovalDecision, RecordedStep } from '../model/run.ts'
import { checkMs, timeoutOf } from './check-ms.ts'
import type { Environment } from './environment.ts'
import type { ApprovalOptions, StepFunction, WaitOptions } from './node-function.ts'
import { type DurableHooks, type Invocation, Positions } from './positions.ts'
import { RunCalls } from './run-calls.ts'

export class DurableCalls {
  readonly #positions: Positions
  #runs: RunCalls | undefined

  constructor(invocation: Invocation, env: Environment, hooks: DurableHooks) {
    this.#positions = new Positions(invocation, env, hooks)
  }

  /** Those about other runs. */
  get runs(): RunCalls {
    this.#runs ??= new RunCalls(this.#positions)
    return this.#runs
  }

  async step<Result>(name: string, fn: StepFunction<Result>): Promise<Result> {
    checkStepName(name)
    const { position, recorded } = this.#positions.enter('step', name)
    if (recorded !== undefined) {
      await this.#positions.turnOf(position)
      return this.#positions.decode(recorded.result) as Result
    }
    if (this.#positions.mustRest) return this.#positions.rest()
    const work = this.#runStep(position, name, fn)
    this.#positions.stepBegan(work)
    try {
      return await work
    } finally {
      this.#positions.stepEnded(work)
    }
  }

  async checkpoint(name: string): Promise<void> {
    parseSignalName(name, 'checkpoint')
    const { position, recorded } = this.#positions.enter('checkpoint', name)
    if (recorded !== undefined) return this.#positions.turnOf(position)
    if (this.#positions.mustRest) return this.#positions.rest()
    await this.#positions.record({ type: 'stepped', step: { position, kind: 'checkpoint', name } })
  }

  async sleep(duration: number | { readonly untilMs: number }): Promise<void> {
    const { position, recorded } = this.#positions.enter('sleep', 'sleep')
    if (recorded !== undefined) return this.#positions.turnOf(position)
    const isInstant = typeof duration === 'object' && duration !== null && 'untilMs' in duration
    const times = isInstant ? { wakeAtMs: checkMs(duration.untilMs) } : { delayMs: checkMs(duration) }
    return this.#positions.park({ type: 'slept', step: { position, kind: 'sleep', name: 'sleep' }, ...times })
  }

  async waitForSignal<Payload>(name: string, options: WaitOptions = {}): Promise<Payload> {
    parseSignalName(name)
    checkOptions(options, ['timeoutMs'] satisfies (keyof WaitOptions)[])
    const { position, recorded } = this.#positions.enter('signal', name)
    if (recorded !== undefined) await this.#positions.turnOf(position)
    if (recorded?.timedOut === true) throw this.#positions.timedOut(`signal ${name}`)
    if (recorded !== undefined) return this.#positions.decode(recorded.result) as Payload
    return this.#positions.park({
      type: 'awaited',
      step: { position, kind: 'signal', name },
      wait: { kind: 'signal', name },
      ...timeoutOf(options),
    })
  }

  async approval(name: string, options: ApprovalOptions = {}): Promise<ApprovalDecision> {
    parseSignalName(name, 'approval')
    checkOptions(options, ['timeoutMs', 'request'] satisfies (keyof ApprovalOptions)[])
    const { position, recorded, occurrence } = this.#positions.enter('approval', name)
    if (recorded !== undefined) await this.#positions.turnOf(position)
    if (recorded?.timedOut === true) throw this.#positions.timedOut(`approval ${name}`)
    if (recorded !== undefined) return this.#decided(name, recorded.result)
    const id = `${this.#positions.invocation.instanceId}:${name}${occurrence === 1 ? '' : `#${occurrence}`}`
    const { request } = options
    const encoded = request === undefined ? {} : { request: this.#positions.env.serializer.encode(request, 'request') }
    return this.#positions.park({
      type: 'awaited',
      step: { position, kind: 'approval', name },
      wait: { kind: 'approval', name: id, ...encoded },
      ...timeoutOf(options),
    })
  }

  async #runStep<Result>(position: number, name: string, fn: StepFunction<Result>): Promise<Result> {
    const env = this.#positions.env
    const context = this.#positions.invocation.context.fork()
    let encoded: JsonValue | undefined
    try {
      const result = await this.#positions.callStep(() => fn({ context }))
      encoded = result === undefined ? undefined : env.serializer.encode(result, `step ${name}`)
      const deltas = context.takeDeltas()
      const step: RecordedStep = { position, kind: 'step', name, ...(encoded === undefined ? {} : { result: encoded }) }
      await this.#positions.record({ type: 'stepped', step, ...(deltas.length === 0 ? {} : { deltas }) })
    } catch (thrown) {
      context.drop()
      throw thrown
    }
    context.keep()
    // What the attempts after a crash will see, this one sees too: a copy that went through the serializer.
    return (encoded === undefined ? undefined : env.serializer.decode(encoded)) as Result
  }

  #decided(name: string, result: JsonValue | undefined): ApprovalDecision {
    const raw = (result ?? { approved: false }) as unknown as ApprovalDecision
    const decision =
      raw.payload === undefined ? raw : { ...raw, payload: this.#positions.decode(raw.payload) as JsonValue }
    if (decision.approved) return decision
    const who = decision.by === undefined ? '' : ` by ${decision.by}`
    const why = decision.reason === undefined ? '' : `: ${decision.reason}`
    throw new BatonError('APPROVAL_DENIED', { field: name, message: `denied${who}${why}`, cause: decision })
  }
}

function checkStepName(name: unknown): void {
  if (typeof name === 'string' && name.length >= 1 && name.length <= 512) return
  throw new BatonError('INVALID_ID', { field: 'step', message: 'a step is named by a text of 1 to 512 characters' })
}
