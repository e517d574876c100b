/**
 * What only time brings in a run of this process: its deadline, its start at its gates, sleeps and retries. Where there is a store,
 * the sweep finds all that.
 */
import type { InstanceId, RunId } from '../model/ids.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import type { IClock } from '../ports/clock.ts'
import type { Notice } from '../ports/notice.ts'
import { LocalTimers } from './local-timers.ts'

/** A run whose time comes. */
export interface TimedRun {
  readonly runId: RunId
  enqueue(instanceId: InstanceId): void
  askAtGate(nowMs: number): void
  notify(notice: Notice): void
  pump(): void
}

export class LocalDue {
  readonly #run: TimedRun
  readonly #state: RunState
  readonly #clock: IClock
  /** Most runs wait for nothing. */
  #timers: LocalTimers | undefined

  constructor(run: TimedRun, state: RunState, clock: IClock) {
    this.#run = run
    this.#state = state
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#timers === undefined || this.#timers.isEmpty
  }

  awaitDeadline(): void {
    const { deadlineAtMs } = this.#state.head
    if (deadlineAtMs === undefined) return
    this.#at(deadlineAtMs, () => {
      this.#run.notify({ type: 'deadline', runId: this.#run.runId })
      this.#run.pump()
    })
  }

  /** Has it ask at its gates when it may start. */
  awaitStart(startAtMs = 0): void {
    const nowMs = this.#clock.now()
    if (startAtMs > nowMs) this.#at(startAtMs, () => this.awaitStart(startAtMs))
    else this.#run.askAtGate(nowMs)
  }

  /** Puts an instance in line when its time comes. */
  enqueue(instanceId: InstanceId): void {
    const instance = this.#state.instances.get(instanceId)
    if (instance === undefined || instance.dueAtMs === NEVER) return
    if (instance.status === 'claimed' || instance.status === 'waiting') return
    if (instance.dueAtMs <= this.#clock.now()) return this.#run.enqueue(instanceId)
    this.#at(instance.dueAtMs, () => {
      // Timers may fire a moment before the clock says so; then it waits once more.
      this.enqueue(instanceId)
      this.#run.pump()
    })
  }

  stop(): void {
    this.#timers?.stop()
  }

  #at(atMs: number, callback: () => void): void {
    this.#timers ??= new LocalTimers(this.#clock)
    this.#timers.at(atMs, callback)
  }
}
