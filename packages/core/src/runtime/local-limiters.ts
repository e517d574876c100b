/**
 * The limiters of a process without a store: the same machines, told at once, for all the runs of a runtime.
 */
import { Alarms } from '../engine/alarms.ts'
import { RunMachine } from '../machine/run-machine.ts'
import type { Gate } from '../model/gate.ts'
import type { RunId } from '../model/ids.ts'
import { generationOf, isIdle, limiterId, newLimiter } from '../model/limiter.ts'
import type { RunMessage } from '../model/message.ts'
import { isTerminal, type NewRun } from '../model/run.ts'
import { NEVER } from '../model/run-state.ts'
import type { IClock } from '../ports/clock.ts'
import type { LimiterNotice, Notice, NoticeResult } from '../ports/notice.ts'

/** A run that waits at a gate. */
export interface Gated {
  readonly runId: RunId
  notify(notice: Notice): void
}

const LEAST_PRUNED = 1_000

export class LocalLimiters {
  readonly #clock: IClock
  readonly #alarms: Alarms
  readonly #machines = new Map<RunId, RunMachine>()
  readonly #waiting = new Map<RunId, Gated>()
  #pruneAt = LEAST_PRUNED

  constructor(clock: IClock) {
    this.#clock = clock
    this.#alarms = new Alarms(clock, NEVER, (runId) => void this.#notify({ type: 'slots-due', runId }))
  }

  request(run: Gated, gate: Gate, priority: number): void {
    this.#waiting.set(run.runId, run)
    this.#tell(gate, (runId) => ({ type: 'slot-request', runId, from: run.runId, gate, priority }))
  }

  release(run: Gated, limiter: RunId): void {
    this.#waiting.delete(run.runId)
    this.#tell(limiter, (runId) => ({ type: 'slot-release', runId, from: run.runId }))
  }

  #tell(to: Gate | RunId, notice: (runId: RunId) => LimiterNotice): void {
    const first = typeof to === 'string' ? to : to.limiter
    if (!this.#machines.has(first) && typeof to !== 'string') this.#make(newLimiter(to))
    for (let runId = first; ; ) {
      const result = this.#notify(notice(runId))
      if (result?.status === 'moved') runId = result.to
      else if (result?.status === 'ended') runId = limiterId(first, generationOf(first, runId) + 1)
      else return
    }
  }

  #notify(notice: LimiterNotice): NoticeResult | undefined {
    const machine = this.#machines.get(notice.runId)
    const result = machine?.notify(notice, this.#clock.now())
    if (machine === undefined || (result?.status !== 'accepted' && result?.status !== 'unchanged')) return result
    if (result.againInMs !== undefined) this.#alarms.set(notice.runId, result.againInMs)
    if (result.status === 'unchanged') return result
    machine.delivered((result.sent ?? []).map(({ key }) => key))
    for (const message of result.sent ?? []) this.#bring(message)
    // By now the first one knows where it went on.
    if (isTerminal(machine.state.status)) this.#machines.delete(notice.runId)
    return result
  }

  #bring({ to, body }: RunMessage): void {
    switch (body.type) {
      case 'start':
        return this.#make(body.run)
      case 'limiter-move':
        this.#notify({ type: 'limiter-move', runId: to, generation: body.generation })
        return
      case 'slot-grant':
        // Not inside the commit of the run that made room: a thousand that wait would pile up on the stack.
        queueMicrotask(() => this.#waiting.get(to)?.notify({ type: 'slot-grant', runId: to, limiter: body.limiter }))
        return
      default:
        return
    }
  }

  #make(run: NewRun): void {
    if (this.#machines.size >= this.#pruneAt) this.#prune()
    this.#machines.set(run.runId, RunMachine.create(run, this.#clock.now(), { redispatchMs: NEVER }))
  }

  /** Nobody else can see them here, so that those that say nothing any more can be made anew when they are needed. */
  #prune(): void {
    for (const [runId, { state }] of this.#machines) {
      if (state.limiter !== undefined && isIdle(state.limiter, this.#clock.now())) this.#machines.delete(runId)
    }
    this.#pruneAt = Math.max(LEAST_PRUNED, 2 * this.#machines.size)
  }
}
