/**
 * A chain: what a worker does with one claim, and with those that its commits bring along.
 *
 *   claim ─► attempt ─► commit ─┬─► (claimed the next in the same call) ─► attempt …
 *                               └─► the others are in hand: `work-in-hand.ts`
 *
 * A straight line of nodes is one chain: one store call per node and no job. Each link has its own lease, timeout and
 * signal. A chain ends when a commit brings no claim, when its right was lost, or when others have to have their turn.
 */
import { defaults } from '../model/blueprint.ts'
import { codedError } from '../model/errors.ts'
import { nodeOfInstance, type RunId } from '../model/ids.ts'
import { isTerminal } from '../model/run.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Claim } from '../ports/claim.ts'
import type { Delivery } from '../ports/job-queue.ts'
import type { CommitResult, NextClaim, Outcome } from '../ports/transition.ts'
import { Attempt, type AttemptEnd } from './attempt.ts'
import type { Courier } from './courier.ts'
import { type Environment, workFields } from './environment.ts'
import type { Graph } from './graph.ts'
import type { Leases } from './leases.ts'
import type { Publisher } from './publisher.ts'
import type { Urgency } from './urgency.ts'
import type { WorkInHand } from './work-in-hand.ts'

export interface ChainOptions {
  readonly env: Environment
  readonly inHand: WorkInHand
  readonly courier: Courier
  readonly leases: Leases
  /** Absent without a journal sink. */
  readonly publisher: Publisher | undefined
  readonly urgency: Urgency
  readonly leaseMs: number
  readonly inlineMaxNodes?: number
  readonly inlineMaxMs?: number
  readonly fanOut?: 'own-places' | 'queue'
  readonly onRunEnd?: (runId: RunId) => void | Promise<void>
  isStopping(): boolean
  /** Whether other work may be waiting for a place. */
  isBusy(): boolean
  /** The instance may be claimed again after this delay: a retry or a sleep was recorded. */
  onDelay(claim: Claim, delayMs: number): void
}

export class Chain {
  readonly #options: ChainOptions
  readonly #env: Environment

  constructor(options: ChainOptions) {
    this.#options = options
    this.#env = options.env
  }

  /** @param delivery answered with the first commit; absent when it was answered before, or there never was one */
  async follow(graph: Graph, first: Claim, firstAskedAtMs: number, delivery: Delivery | undefined): Promise<void> {
    const { leases, isStopping, fanOut = 'own-places' } = this.#options
    const startedAtMs = this.#env.clock.now()
    let claim: Claim | undefined = first
    let askedAtMs = firstAskedAtMs
    let unanswered = delivery
    for (let nodes = 1; claim !== undefined; nodes++) {
      const held: Claim = claim
      const attempt = new Attempt(graph, held, this.#env, askedAtMs)
      const lease = leases.hold(attempt, askedAtMs)
      let result: CommitResult | undefined
      let mayGoOn = false
      try {
        // A claim that came in while we were asked to stop, or later than its lease, goes back before anything has run.
        const goesBack = isStopping() || this.#env.clock.now() - askedAtMs >= this.#options.leaseMs
        const end: AttemptEnd = goesBack ? { type: 'released' } : await this.#execute(attempt, unanswered)
        askedAtMs = this.#env.clock.now()
        mayGoOn = this.#mayGoOn(nodes, startedAtMs, held.head.priority)
        const candidates = mayGoOn ? attempt.node.candidates : []
        if (end.type !== 'lost') result = await this.#commit(attempt, end, candidates)
      } finally {
        leases.release(lease)
      }
      if (unanswered !== undefined) {
        await this.answer(unanswered, () => unanswered?.acknowledge())
        unanswered = undefined
      }
      claim = undefined
      if (result !== undefined && isRecorded(result)) {
        // Not waited for where there is nothing to do, which is after most nodes of a line.
        if (leavesWork(result)) await this.#seeTo(mayGoOn && fanOut === 'own-places' ? graph : undefined, held, result)
        claim = result.claim
      }
      if (claim === undefined && first.head.publishJournal === true) this.#options.publisher?.now(first.head.runId)
      // Code that ignores its signal goes on holding its place for a while: it does use the process.
      if (claim === undefined && !isStopping()) await attempt.whenQuiet()
    }
  }

  /** Hands a claim back unexecuted, for a worker that has the run's version. */
  async giveBack(claim: Claim, delivery: Delivery | undefined): Promise<void> {
    const result = await this.#settle(claim, { type: 'released' }, [])
    await this.answer(delivery, () => delivery?.acknowledge())
    if (isRecorded(result)) await this.#seeTo(undefined, claim, result)
  }

  /**
   * Fails an instance whose node is gone from a flow without versions. What lies behind it is gone too, as far as anyone
   * can tell, so the run cannot go on.
   */
  async failUnknown(claim: Claim, delivery: Delivery | undefined): Promise<void> {
    const { head, instanceId } = claim
    const message = `flow ${head.flowId} has no node ${nodeOfInstance(instanceId)} any more`
    const error = codedError('NODE_GONE', message)
    const takenBy = { always: false, ifStarted: [] }
    const result = await this.#settle(claim, { type: 'failed', error, takenBy, arrivals: [] }, [])
    await this.#options.courier.tell({ type: 'cancel', runId: head.runId, reason: message })
    await this.answer(delivery, () => delivery?.acknowledge())
    if (isRecorded(result)) await this.#seeTo(undefined, claim, result)
  }

  /** Answers the queue. If that fails the job comes once more and finds nothing to claim: no reason to stop working. */
  async answer(delivery: Delivery | undefined, answer: () => unknown): Promise<void> {
    if (delivery === undefined) return
    try {
      await answer()
    } catch (error) {
      const { runId, instanceId } = delivery.job
      const fields = workFields(runId, instanceId, 0, this.#env.workerId)
      this.#env.logger.log('warn', 'the queue did not take an answer', { ...fields, error })
    }
  }

  #execute(attempt: Attempt, delivery: Delivery | undefined): Promise<AttemptEnd> {
    const ended = new Promise<AttemptEnd>((resolve) => {
      const end = attempt.run(resolve)
      if (end !== undefined) resolve(end)
    })
    return delivery === undefined ? ended : ended.finally(this.#keepDelivery(attempt, delivery))
  }

  /** Keeps the queue from giving the job to others while a long node runs. Correctness does not depend on it. */
  #keepDelivery(attempt: Attempt, delivery: Delivery): () => void {
    const { leaseMs } = this.#options
    let cancel = () => {}
    const arm = () => {
      cancel = this.#env.clock.after(leaseMs / 3, () => {
        Promise.resolve(delivery.extend({ byMs: leaseMs })).catch((error: unknown) => {
          this.#env.logger.log('warn', 'a job could not be kept', { ...this.#fieldsOf(attempt), error })
        })
        arm()
      })
    }
    arm()
    return () => cancel()
  }

  async #commit(attempt: Attempt, outcome: Outcome, candidates: NextClaim['candidates']): Promise<CommitResult> {
    const { claim } = attempt
    const result = await this.#settle(claim, outcome, candidates)
    switch (result.status) {
      case 'conflict':
        return this.#commit(attempt, attempt.refused(result), candidates)
      case 'too-large': {
        const error = codedError('TOO_LARGE', `the store takes ${result.limitBytes} bytes`)
        const failure = attempt.failWith(error, false)
        // A failure that is too large as well would be so for ever: the lease runs out, and `maxLostLeases` ends it.
        return outcome.type === 'failed' ? result : this.#commit(attempt, failure, candidates)
      }
      case 'committed':
      case 'already-committed':
        if (result.run.stopping || callsOff(outcome)) void this.#options.leases.heed(attempt.runId)
        if (outcome.type === 'retried') this.#options.onDelay(claim, outcome.delayMs)
        else if (outcome.type === 'slept') this.#options.onDelay(claim, this.#delayOf(outcome))
        return result
      default:
        this.#env.logger.log('info', `commit refused: ${result.status}`, this.#fieldsOf(attempt))
        return result
    }
  }

  #settle(claim: Claim, outcome: Outcome, candidates: NextClaim['candidates']): Awaitable<CommitResult> {
    const { instanceId, fence, attempt, head } = claim
    const { runId } = head
    const { workerId, newId } = this.#env
    const commitId = newId()
    if (candidates.length === 0) return this.#env.commit({ runId, instanceId, fence, commitId, outcome }, attempt)
    const next = { workerId, leaseMs: this.#options.leaseMs, candidates }
    return this.#env.commit({ runId, instanceId, fence, commitId, outcome, next }, attempt)
  }

  /**
   * Sees to what a commit made ready, sent or ended.
   * @param graph to go on with what became ready; undefined to leave it to whoever the queue gives it to
   */
  async #seeTo(graph: Graph | undefined, done: Claim, result: Recorded): Promise<void> {
    if (result.ready.length > 0) await this.#options.inHand.take(graph, done.head, result.ready)
    if (result.sent !== undefined) await this.#options.courier.deliver(done.head.runId, result.sent)
    if (isTerminal(result.run.status)) await this.#announceEnd(done)
  }

  async #announceEnd({ head, instanceId, attempt }: Claim): Promise<void> {
    try {
      await this.#options.onRunEnd?.(head.runId)
    } catch (error) {
      const fields = workFields(head.runId, instanceId, attempt, this.#env.workerId)
      this.#env.logger.log('error', 'the end of a run could not be announced', { ...fields, error })
    }
  }

  #delayOf({ delayMs, wakeAtMs }: Extract<Outcome, { type: 'slept' }>): number {
    return delayMs ?? Math.max(0, (wakeAtMs ?? 0) - this.#env.clock.now())
  }

  #mayGoOn(nodes: number, startedAtMs: number, priority: number): boolean {
    if (this.#options.isStopping()) return false
    if (!this.#options.isBusy()) return true
    if (this.#options.urgency.outranks(priority)) return false
    const { inlineMaxNodes = defaults.inlineMaxNodes, inlineMaxMs = defaults.inlineMaxMs } = this.#options
    return nodes < inlineMaxNodes && this.#env.clock.now() - startedAtMs < inlineMaxMs
  }

  #fieldsOf({ runId, instanceId, attempt }: Attempt) {
    return workFields(runId, instanceId, attempt, this.#env.workerId)
  }
}

type Recorded = Extract<CommitResult, { readonly status: 'committed' | 'already-committed' }>

function isRecorded(result: CommitResult): result is Recorded {
  return result.status === 'committed' || result.status === 'already-committed'
}

function leavesWork({ ready, sent, run }: Recorded): boolean {
  return ready.length > 0 || sent !== undefined || isTerminal(run.status)
}

/** What may have made other instances of the run superfluous. */
function callsOff(outcome: Outcome): boolean {
  return outcome.type === 'failed' || (outcome.type === 'succeeded' && outcome.cancels !== undefined)
}
