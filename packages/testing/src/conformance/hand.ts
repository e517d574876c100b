import { parseRunId, type RunId, type RunRecord } from '@baton/core'
import type {
  Arrival,
  Claim,
  ClaimRequest,
  ClaimResult,
  CommitResult,
  IRunStore,
  NewRun,
  Notice,
  NoticeResult,
  Outcome,
  RenewResult,
  RunEvent,
  Transition,
} from '@baton/core/adapter'
import { expect } from 'vitest'

export const RUN: RunId = parseRunId('run-1')
const LONG_MS = 600_000

type ClaimOptions = Partial<Omit<ClaimRequest, 'instanceId'>>
type Success = Partial<Extract<Outcome, { type: 'succeeded' }>>

/** Does with a store by hand, call by call, what a worker and a client do. */
export class Hand {
  readonly store: IRunStore
  readonly workerId: string
  #ids = 0

  constructor(store: IRunStore, workerId: string) {
    this.store = store
    this.workerId = workerId
  }

  newId(): string {
    return `${this.workerId}-${++this.#ids}`
  }

  async create(run: Partial<NewRun> = {}): Promise<RunId> {
    const whole = newRun(run)
    expect(await this.store.create(whole)).toEqual({ status: 'created' })
    return whole.runId
  }

  async tryClaim(instanceId: string, options: ClaimOptions = {}): Promise<ClaimResult> {
    const { workerId } = this
    return this.store.claim({ runId: RUN, workerId, claimId: this.newId(), leaseMs: LONG_MS, ...options, instanceId })
  }

  async claim(instanceId: string, options: ClaimOptions = {}): Promise<Claim> {
    const result = await this.tryClaim(instanceId, options)
    expect(result.status, `the claim of ${instanceId}`).toBe('claimed')
    return (result as Extract<ClaimResult, { status: 'claimed' }>).claim
  }

  transition(claim: Claim, outcome: Outcome, more: Partial<Transition> = {}): Transition {
    const { head, instanceId, fence } = claim
    return { runId: head.runId, instanceId, fence, commitId: this.newId(), outcome, ...more }
  }

  async commit(claim: Claim, outcome: Outcome, more: Partial<Transition> = {}): Promise<CommitResult> {
    return this.store.commit(this.transition(claim, outcome, more))
  }

  async committed(claim: Claim, outcome: Outcome, more: Partial<Transition> = {}): Promise<Committed> {
    const result = await this.commit(claim, outcome, more)
    expect(result.status, `the commit of ${claim.instanceId}`).toBe('committed')
    return result as Committed
  }

  succeed(claim: Claim, success: Success = {}, more: Partial<Transition> = {}): Promise<Committed> {
    return this.committed(claim, succeeded(success), more)
  }

  /** Claims and settles in one go. */
  async run(instanceId: string, success: Success = {}, options: ClaimOptions = {}): Promise<Committed> {
    return this.succeed(await this.claim(instanceId, options), success)
  }

  async fail(claim: Claim, failure: Partial<Extract<Outcome, { type: 'failed' }>> = {}): Promise<Committed> {
    return this.committed(claim, failed(failure))
  }

  async renew(claims: readonly Claim[], leaseMs = LONG_MS): Promise<RenewResult> {
    const runId = claims[0]?.head.runId ?? RUN
    return this.store.renew({ runId, leaseMs, claims: claims.map(({ instanceId, fence }) => ({ instanceId, fence })) })
  }

  async notify(notice: DistributiveOmit<Notice, 'runId'>, runId: RunId = RUN): Promise<NoticeResult> {
    return this.store.notify({ ...notice, runId } as Notice)
  }

  cancel(reason = 'enough', runId: RunId = RUN): Promise<NoticeResult> {
    return this.notify({ type: 'cancel', reason }, runId)
  }

  async load(runId: RunId = RUN): Promise<RunRecord> {
    const run = await this.store.load(runId)
    expect(run, `run ${runId}`).toBeDefined()
    return run as RunRecord
  }

  async instance(instanceId: string, runId: RunId = RUN): Promise<RunRecord['instances'][number] | undefined> {
    return (await this.load(runId)).instances.find((instance) => instance.instanceId === instanceId)
  }

  async journal(runId: RunId = RUN, from = 1): Promise<RunEvent[]> {
    return eventsOf(this.store, runId, from)
  }

  async types(runId: RunId = RUN): Promise<string[]> {
    return (await this.journal(runId)).map(({ type }) => type)
  }

  /** Everything that anybody can see of a run. */
  async everything(runId: RunId = RUN): Promise<unknown> {
    const context = Object.fromEntries(await this.store.context(runId).readAll())
    return { record: await this.load(runId), journal: await this.journal(runId), context }
  }
}

export type Committed = Extract<CommitResult, { status: 'committed' | 'already-committed' }>

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never

export async function eventsOf(store: IRunStore, runId: RunId = RUN, from = 1): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of store.journal(runId, { from })) events.push(event)
  return events
}

export function newRun(run: Partial<NewRun> = {}): NewRun {
  return { runId: RUN, kind: 'workflow', flowId: 'flow', starts: ['a'], ...run }
}

export function succeeded(success: Success = {}): Outcome {
  return { arrivals: [], ...success, type: 'succeeded' }
}

export const BROKEN = { name: 'Error', message: 'broken' }

export function failed(failure: Partial<Extract<Outcome, { type: 'failed' }>> = {}): Outcome {
  return { error: BROKEN, arrivals: [], takenBy: { always: false, ifStarted: [] }, ...failure, type: 'failed' }
}

/** An arrival at a node that one edge leads to, or, with `rule` and `of`, at a join. */
export function arrival(to: string, from: string, join: Partial<Arrival> = {}): Arrival {
  return { to, from, edge: `${from}->${to}`, fate: 'succeeded', rule: 'all', of: 1, ...join }
}
