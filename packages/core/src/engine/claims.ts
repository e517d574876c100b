/** How a worker comes by work: the job is a hint, and the claim is the right. */
import { defaults } from '../model/blueprint.ts'
import { type InstanceId, nodeOfInstance, type RunId } from '../model/ids.ts'
import type { Claim, ClaimNeeds, ClaimRequest } from '../ports/claim.ts'
import type { Acknowledge, Delivery } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { Chain } from './chain.ts'
import type { Environment } from './environment.ts'
import type { Graph } from './graph.ts'
import type { Patience } from './patience.ts'

export interface ClaimsOptions {
  readonly store: IRunStore
  readonly env: Pick<Environment, 'clock' | 'newId' | 'workerId'>
  readonly leaseMs: number
  readonly patience: Patience
  readonly chain: Chain
  readonly acknowledge?: Acknowledge | undefined
}

export class Claims {
  readonly #options: ClaimsOptions

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  requestFor(runId: RunId, instanceId: InstanceId): ClaimRequest {
    const { env, leaseMs } = this.#options
    return { runId, instanceId, claimId: env.newId(), workerId: env.workerId, leaseMs }
  }

  /**
   * Claims the instance and goes on from there. Without a claim there is nothing to do, and the job has served.
   * @param onClaim told of a claim that was won, before anything is done with it
   */
  async work(
    graph: Graph,
    runId: RunId,
    instanceId: InstanceId,
    { delivery, onClaim }: { readonly delivery?: Delivery; readonly onClaim?: () => void } = {},
  ): Promise<void> {
    const { store, env, patience, chain, acknowledge = 'commit' } = this.#options
    const askedAtMs = env.clock.now()
    const needs: ClaimNeeds = graph.nodes.get(nodeOfInstance(instanceId))?.needs ?? {}
    const request = { ...this.requestFor(runId, instanceId), ...needs }
    const result = await patience.ask({ runId, instanceId }, () => store.claim(request))
    if (result.status === 'claimed') onClaim?.()
    const isEarly = acknowledge === 'claim' || (acknowledge !== 'commit' && mayTake(needs) >= acknowledge.claimFromMs)
    if (result.status !== 'claimed' || isEarly) {
      await chain.answer(delivery, () => delivery?.acknowledge())
    }
    if (result.status !== 'claimed') return
    const { claim } = result
    const answer = isEarly ? undefined : delivery
    if (!isFor(graph, claim)) return chain.giveBack(claim, answer)
    if (!graph.nodes.has(nodeOfInstance(instanceId))) return chain.failUnknown(claim, answer)
    await chain.follow(graph, claim, askedAtMs, answer)
  }
}

function mayTake({ timeoutMs = defaults.nodeTimeoutMs }: ClaimNeeds): number {
  return timeoutMs
}

/** Whether the run may be executed with this graph. A job may name another version than its run has: a run decides. */
function isFor(graph: Graph, { head }: Claim): boolean {
  return graph.flowId === head.flowId && (head.version === undefined || head.version === graph.version)
}
