import type { InstanceId, RunId } from '../model/ids.ts'
import type { RenewResult } from '../ports/claim.ts'
import type { IClock } from '../ports/clock.ts'
import type { ILogger } from '../ports/logger.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Attempt } from './attempt.ts'
import { workFields } from './environment.ts'

/** A claim that this worker holds. */
export interface Lease {
  readonly attempt: Attempt
  /** Until when we may believe that the claim is ours. */
  trustedUntilMs: number
  /** @internal among those that are held; -1 after its release */
  place: number
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
  /**
   * In no order. A map would be made anew every few attempts, and each of those that it had been would keep the attempts that
   * were in it in memory until V8 looks through all of it.
   */
  readonly #held: Lease[] = []
  #cancelTimer: (() => void) | undefined

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  get attempts(): readonly Attempt[] {
    return this.#held.map(({ attempt }) => attempt)
  }

  /** @param askedAtMs when the claim was asked for */
  hold(attempt: Attempt, askedAtMs: number): Lease {
    const trustedUntilMs = askedAtMs + this.#options.leaseMs
    const lease = { attempt, trustedUntilMs, place: this.#held.length }
    this.#held.push(lease)
    this.#arm()
    return lease
  }

  release(lease: Lease): void {
    const last = this.#held[this.#held.length - 1]
    if (lease.place < 0 || last === undefined) return
    this.#held[lease.place] = last
    last.place = lease.place
    lease.place = -1
    this.#held.pop()
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#held.length === 0) return
    const { clock, leaseMs } = this.#options
    this.#cancelTimer = clock.after(leaseMs / 3, () => {
      this.#cancelTimer = undefined
      void this.renewAll().finally(() => this.#arm())
    })
  }

  /** One renewal of everything held, a call per run. */
  async renewAll(): Promise<void> {
    const byRun = new Map<RunId, Lease[]>()
    for (const held of this.#held) {
      const { runId } = held.attempt
      const group = byRun.get(runId)
      if (group === undefined) byRun.set(runId, [held])
      else group.push(held)
    }
    await Promise.all([...byRun].map(([runId, held]) => this.#renew(runId, held)))
  }

  /** The run may be about to stop, or have called something off: asks at once for those of its attempts that go on. */
  async heed(runId: RunId): Promise<void> {
    const held = this.#held.filter(({ attempt }) => attempt.runId === runId && !attempt.isInterrupted)
    if (held.length > 0) await this.#renew(runId, held)
  }

  async #renew(runId: RunId, held: readonly Lease[]): Promise<void> {
    const { store, clock, logger, leaseMs } = this.#options
    const askedAtMs = clock.now()
    const claims = held.map(({ attempt }) => ({ instanceId: attempt.instanceId, fence: attempt.claim.fence }))
    try {
      this.#apply(held, await store.renew({ runId, leaseMs, claims }), askedAtMs)
    } catch (error) {
      for (const { attempt, trustedUntilMs, place } of held) {
        const { instanceId } = attempt
        const fields = workFields(runId, instanceId, attempt.attempt, this.#options.workerId)
        logger.log('warn', 'a lease could not be renewed', { ...fields, error })
        if (place >= 0 && clock.now() >= trustedUntilMs) attempt.interrupt('lost')
      }
    }
  }

  #apply(held: readonly Lease[], result: RenewResult, askedAtMs: number): void {
    const lost = new Set<InstanceId>(result.lost)
    const cancelled = new Set<InstanceId>(result.cancelled)
    for (const entry of held) {
      const { attempt } = entry
      if (entry.place < 0) continue
      entry.trustedUntilMs = askedAtMs + this.#options.leaseMs
      if (lost.has(attempt.instanceId)) attempt.interrupt('lost')
      else if (result.run.stopping || cancelled.has(attempt.instanceId)) attempt.interrupt('cancelled')
    }
  }
}
