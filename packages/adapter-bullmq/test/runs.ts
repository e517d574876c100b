/** Does with a store by hand what a worker does, for tests of what only this store has. */
import { type IRunStore, parseRunId, type RunId } from '@baton/core'
import type { Claim, CommitResult, Outcome } from '@baton/core/adapter'
import { expect } from 'vitest'

export const RUN = parseRunId('run-1')

export class Hands {
  readonly #store: IRunStore
  #ids = 0

  constructor(store: IRunStore) {
    this.#store = store
  }

  async create(runId: RunId = RUN, starts: readonly string[] = ['n0']): Promise<void> {
    expect(await this.#store.create({ runId, kind: 'workflow', flowId: 'flow', starts })).toEqual({ status: 'created' })
  }

  async claim(instanceId: string, runId: RunId = RUN, leaseMs = 60_000): Promise<Claim> {
    const claimId = `claim-${++this.#ids}`
    const result = await this.#store.claim({ runId, instanceId, claimId, workerId: 'hands', leaseMs })
    if (result.status !== 'claimed') throw new Error(`the claim of ${instanceId}: ${result.status}`)
    return result.claim
  }

  commit({ head, instanceId, fence }: Claim, outcome: Outcome): Promise<CommitResult> {
    const commitId = `commit-${++this.#ids}`
    return Promise.resolve(this.#store.commit({ runId: head.runId, instanceId, fence, commitId, outcome }))
  }

  /** Claims and settles nodes of a line, one after the other. */
  async line(from: number, to: number, output: string | undefined = undefined, runId: RunId = RUN): Promise<void> {
    for (let index = from; index < to; index++) {
      const claim = await this.claim(`n${index}`, runId)
      const next = `n${index + 1}`
      const arrivals = [
        { to: next, edge: `${index}`, from: `n${index}`, fate: 'succeeded', rule: 'all', of: 1 },
      ] as const
      const result = await this.commit(claim, {
        type: 'succeeded',
        arrivals,
        ...(output === undefined ? {} : { output: `${output}${index}` }),
      })
      expect(result.status).toBe('committed')
    }
  }

  async end(instanceId: string, runId: RunId = RUN): Promise<void> {
    const claim = await this.claim(instanceId, runId)
    expect((await this.commit(claim, { type: 'succeeded', arrivals: [] })).status).toBe('committed')
  }
}
