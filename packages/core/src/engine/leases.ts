import type { InstanceId, RunId } from '../model/ids.ts'
import type { RenewResult } from '../ports/claim.ts'
import type { IClock } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Attempt } from './attempt.ts'
import { workFields } from './environment.ts'

interface Held {
  readonly attempt: Attempt
  /** Until when we may believe that the claim is ours. */
  trustedUntilMs: number
}

export interface LeasesOptions {
  readonly store: IRunStore
  readonly clock: IClock
  readonly logger: ILogger
  readonly leaseMs: number
  readonly workerId: string
}

/**
 * The claims that this worker holds, and their renewal every third of a lease.
 *
 * A lease is trusted from when we asked, not from when the answer came: a slow reply must not make us believe in a
 * claim that the store has already given away. When the trust ends, because the store refused or could not be reached,
 * the attempt is told to stop; the fence sees to it that nothing it does afterwards counts.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #held = new Map<Attempt, Held>()
  #cancelTimer: (() => void) | undefined

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  get attempts(): readonly Attempt[] {
    return [...this.#held.keys()]
  }

  /** @param askedAtMs when the claim was asked for */
  hold(attempt: Attempt, askedAtMs: number): void {
    this.#held.set(attempt, { attempt, trustedUntilMs: askedAtMs + this.#options.leaseMs })
    this.#arm()
  }

  release(attempt: Attempt): void {
    this.#held.delete(attempt)
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#held.size === 0) return
    const { clock, leaseMs } = this.#options
    this.#cancelTimer = clock.after(leaseMs / 3, () => {
      this.#cancelTimer = undefined
      void this.renewAll().finally(() => this.#arm())
    })
  }

  /** One renewal of everything held, a call per run. */
  async renewAll(): Promise<void> {
    const byRun = new Map<RunId, Held[]>()
    for (const held of this.#held.values()) {
      const { runId } = held.attempt
      const group = byRun.get(runId)
      if (group === undefined) byRun.set(runId, [held])
      else group.push(held)
    }
    await Promise.all([...byRun].map(([runId, held]) => this.#renew(runId, held)))
  }

  /** The run may be about to stop, or have called something off: asks at once for those of its attempts that go on. */
  async heed(runId: RunId): Promise<void> {
    const held = [...this.#held.values()].filter(({ attempt }) => attempt.runId === runId && !attempt.isInterrupted)
    if (held.length > 0) await this.#renew(runId, held)
  }

  async #renew(runId: RunId, held: readonly Held[]): Promise<void> {
    const { store, clock, logger, leaseMs } = this.#options
    const askedAtMs = clock.now()
    const claims = held.map(({ attempt }) => ({ instanceId: attempt.instanceId, fence: attempt.claim.fence }))
    try {
      this.#apply(held, await store.renew({ runId, leaseMs, claims }), askedAtMs)
    } catch (error) {
      for (const { attempt, trustedUntilMs } of held) {
        const { instanceId } = attempt
        const fields = workFields(runId, instanceId, attempt.attempt, this.#options.workerId)
        logger.log('warn', 'a lease could not be renewed', { ...fields, error })
        if (this.#held.has(attempt) && clock.now() >= trustedUntilMs) attempt.interrupt('lost')
      }
    }
  }

  #apply(held: readonly Held[], result: RenewResult, askedAtMs: number): void {
    const lost = new Set<InstanceId>(result.lost)
    const cancelled = new Set<InstanceId>(result.cancelled)
    for (const entry of held) {
      const { attempt } = entry
      if (!this.#held.has(attempt)) continue
      entry.trustedUntilMs = askedAtMs + this.#options.leaseMs
      if (lost.has(attempt.instanceId)) attempt.interrupt('lost')
      else if (result.run.stopping || cancelled.has(attempt.instanceId)) attempt.interrupt('cancelled')
    }
  }
}
