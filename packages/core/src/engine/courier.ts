/**
 * Brings messages from run to run: starts children, calls them off, tells parents how they ended, passes signals on.
 *
 * A run keeps what it has to say until it was taken. So whoever made the commit delivers at once, and what a crash, an
 * outage or a lost note leaves over is found by the sweep and delivered again; the run it is for applies it once. What a
 * delivery makes that run say in turn (a child that is called off calls off its own) is delivered in the same go.
 */
import { BatonError, codedError } from '../model/errors.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import { type ChildEnd, endAsSignal, type Related, type RunMessage } from '../model/message.ts'
import { isTerminal, type NewRun, type RunSummary } from '../model/run.ts'
import { lastingIdOf, type Succession } from '../model/succession.ts'
import type { IClock } from '../ports/clock.ts'
import type { IJobQueue } from '../ports/job-queue.ts'
import type { ILogger } from '../ports/logger.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import type { DueItem, IRunStore } from '../ports/run-store.ts'
import { firstWords, firstWork } from './first-words.ts'
import { jobFor } from './jobs.ts'
import { type LimiterNews, tellLimiter } from './limiter-post.ts'
import { notifyNewest } from './notify-newest.ts'

export interface CourierOptions {
  readonly store: IRunStore
  /** Without one, workers find the work with their next look. */
  readonly queue: IJobQueue | undefined
  readonly clock: IClock
  readonly logger: ILogger
  /** A run was called off: its nodes in this process need not wait for their next renewal to hear of it. */
  readonly onStop?: ((runId: RunId) => void) | undefined
  /** After that time a limiter may let in another run. */
  readonly onAgain?: ((runId: RunId, delayMs: number) => void) | undefined
}

type DueMessage = DueItem & { readonly type: 'message' }

interface Bag {
  readonly from: RunId
  readonly messages: readonly RunMessage[]
}

/** Of the messages of one run that are looked through for a start. */
const LOOK_LIMIT = 1_000

export class Courier {
  readonly #options: CourierOptions

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** Delivers what can be delivered. Never throws: what is left over is the sweep's. */
  async deliver(from: RunId, messages: readonly RunMessage[]): Promise<void> {
    await this.#deliverAll([{ from, messages }])
  }

  /** Tells a run what no other run says, such as that its time is up, and delivers what it says to that. */
  async tell(notice: Notice): Promise<void> {
    const line: Bag[] = []
    await this.#notify(notice, line)
    await this.#deliverAll(line)
  }

  async #deliverAll(line: Bag[]): Promise<void> {
    for (let bag = line.shift(); bag !== undefined; bag = line.shift()) await this.#deliverBag(bag, line)
  }

  /** The same for what the store has kept. */
  async deliverFound(items: readonly DueMessage[]): Promise<void> {
    const bySender = new Map<RunId, RunMessage[]>()
    for (const { runId, message } of items) {
      const messages = bySender.get(runId)
      if (messages === undefined) bySender.set(runId, [message])
      else messages.push(message)
    }
    for (const [runId, messages] of bySender) await this.deliver(runId, messages)
  }

  /** Time may have made room at a limiter. Never throws. */
  async review(limiter: RunId): Promise<void> {
    const line: Bag[] = []
    try {
      await this.#notifyHere({ type: 'slots-due', runId: limiter }, line)
    } catch (error) {
      this.#options.logger.log('warn', 'a limiter could not be told the time; the sweep will', {
        runId: limiter,
        error,
      })
    }
    for (let bag = line.shift(); bag !== undefined; bag = line.shift()) await this.#deliverBag(bag, line)
  }

  async #deliverBag({ from, messages }: Bag, line: Bag[]): Promise<void> {
    const { logger } = this.#options
    const taken: string[] = []
    const closed = new Set<RunId>()
    try {
      for (const message of messages) {
        // In order for each receiver: a child is started before it is called off.
        if (closed.has(message.to)) continue
        if (await this.#bring(from, message, line)) taken.push(message.key)
        else closed.add(message.to)
      }
    } catch (error) {
      logger.log('warn', 'messages to other runs could not be delivered; the sweep will', { runId: from, error })
    }
    if (taken.length > 0) await this.#noteTaken(from, taken)
  }

  async #noteTaken(from: RunId, keys: readonly string[]): Promise<void> {
    const { store, logger } = this.#options
    try {
      await store.delivered(from, keys)
    } catch (error) {
      logger.log('debug', 'messages will be delivered once more', { runId: from, error })
    }
  }

  /** @returns whether the message has served */
  async #bring(from: RunId, { key, to, body }: RunMessage, line: Bag[]): Promise<boolean> {
    switch (body.type) {
      case 'start':
        return this.#start(from, body.run, line)
      case 'cancel':
        return this.#callOff(from, to, body.reason, line)
      case 'cancel-run':
        return this.#reach(from, { type: 'cancel', runId: to, reason: body.reason }, line)
      case 'signal': {
        const { name, payload } = body
        const news = { name, ...(payload === undefined ? {} : { payload }), signalId: `${from}/${key}` }
        return this.#reach(from, { type: 'signal', runId: to, ...news }, line)
      }
      case 'child-ended': {
        const summary = await this.#options.store.summary(from)
        if (summary !== undefined) await this.#tellEnd(to, summary, endOf(summary), line)
        return true
      }
      case 'slot-request': {
        const { gate, priority } = body
        const notice = (runId: RunId) => ({ type: 'slot-request', runId, from, gate, priority }) as const
        return this.#tellLimiter({ limiter: to, notice, gate }, line)
      }
      case 'slot-release':
        return this.#release(to, from, line)
      case 'slot-grant': {
        const status = await this.#notifyHere({ type: 'slot-grant', runId: to, limiter: body.limiter }, line)
        // What is over by now will not give back what it never had: so it is done here.
        if (status === 'ended' || status === 'unknown-run') return this.#release(body.limiter, to, line)
        return true
      }
      case 'limiter-move':
        await this.#notifyHere({ type: 'limiter-move', runId: to, generation: body.generation }, line)
        return true
    }
  }

  #release(limiter: RunId, from: RunId, line: Bag[]): Promise<boolean> {
    return this.#tellLimiter({ limiter, notice: (runId) => ({ type: 'slot-release', runId, from }) }, line)
  }

  async #tellLimiter(news: LimiterNews, line: Bag[]): Promise<boolean> {
    const reply = await tellLimiter(this.#options.store, news)
    if (reply !== undefined) await this.#heed(reply.runId, reply.result, line)
    return reply !== undefined
  }

  async #start(from: RunId, run: NewRun, line: Bag[]): Promise<boolean> {
    const { store, clock, logger } = this.#options
    const created = await store.create(run)
    const { succession } = run.lineage ?? {}
    if (succession !== undefined) {
      if (created.status === 'created' || (created.status === 'exists' && created.same)) {
        await this.#tellFirst(succession, run.runId)
      } else if (created.status === 'purged') {
        // It went on for this one, and is long over; who goes on for it now is no news of ours.
        return true
      } else {
        logger.log('error', 'a run could not go on as new', { runId: from, by: run.runId, status: created.status })
      }
    }
    // Whoever waits for a run that could not be made waits for the first of those that went on for each other.
    const parent = succession === undefined ? from : run.lineage?.parentRunId
    switch (created.status) {
      case 'created':
        await this.#send(run, firstWork(run, clock.now()))
        line.push({ from: run.runId, messages: firstWords(run, clock.now()) })
        return true
      case 'exists':
        if (!created.same) await this.#refuse(parent, run, codedError('RUN_EXISTS', `run ${run.runId}`), line)
        else if (parent !== undefined) await this.#tellEndAgain(parent, run, line)
        return true
      case 'purged':
        // It was this child, and its parent knows how it ended; or the id was another run's, and the child cannot be.
        await this.#refuse(parent, run, codedError('RUN_EXISTS', `run ${run.runId} has ended and was removed`), line)
        return true
      case 'too-large': {
        const error = codedError('TOO_LARGE', `the store takes ${created.limitBytes} bytes at most`)
        await this.#refuse(parent, run, error, line)
        return true
      }
    }
  }

  /**
   * A run that goes on as new may ask for a child that an earlier one of its row has had, and whose end was told to that
   * one: the child itself has nothing more to say.
   */
  async #tellEndAgain(parent: RunId, { runId }: NewRun, line: Bag[]): Promise<void> {
    const first = await this.#options.store.summary(runId)
    const newest = first?.newestRunId ?? first?.continuedBy
    const child = newest === undefined ? first : await this.#options.store.summary(newest)
    if (child === undefined || !isTerminal(child.status) || child.continuedBy !== undefined) return
    if (lastingIdOf(child) === runId) await this.#tellEnd(parent, child, endOf(child), line)
  }

  /** The id that people know has to lead to the newest run, also when those in between are gone. */
  async #tellFirst({ firstRunId, previousRunId, link }: Succession, by: RunId): Promise<void> {
    // The second is known to the first by the first's own journal.
    if (firstRunId === previousRunId) return
    await this.#options.store.notify({ type: 'continued', runId: firstRunId, by, link })
  }

  /**
   * Brings the start of a run that is known to go on for another one, and that nobody has made yet. Throws what the store throws:
   * who asks must not take a run that could not be made now for one that is not there.
   */
  async bringSuccessor(from: RunId, to: RunId): Promise<void> {
    const { store } = this.#options
    const line: Bag[] = []
    for (const item of await store.due({ limit: LOOK_LIMIT, runId: from })) {
      if (item.type !== 'message' || item.message.to !== to || !isStart(item.message)) continue
      if (await this.#bring(from, item.message, line)) await this.#noteTaken(from, [item.message.key])
    }
    await this.#deliverAll(line)
  }

  /** The child could not be made: for its parent that is a child that failed. */
  async #refuse(
    parent: RunId | undefined,
    run: NewRun,
    error: ReturnType<typeof codedError>,
    line: Bag[],
  ): Promise<void> {
    const { runId } = run
    this.#options.logger.log('warn', 'a run could not be started for another', { runId, parent, error })
    if (parent !== undefined) await this.#tellEnd(parent, run, { status: 'failed', error }, line)
  }

  /**
   * Calls a child off. A run of that id may be another one's child, or nobody's: whose it is never changes, so that who has
   * looked may tell.
   *
   * @returns whether it has heard it, or there is none; not so where it may still be made
   */
  async #callOff(from: RunId, to: RunId, reason: string, line: Bag[]): Promise<boolean> {
    const { store, onStop } = this.#options
    let child = await store.summary(to)
    if (child === undefined || !(await this.#isChildOf(from, child))) {
      if (await this.#mayBeOnItsWay(from, to)) return false
      // Between the two looks somebody may have brought its start.
      child ??= await store.summary(to)
      if (child === undefined || !(await this.#isChildOf(from, child))) return true
    }
    const told = await this.#notify({ type: 'cancel', runId: to, reason }, line)
    if (told !== undefined) onStop?.(told)
    return true
  }

  async #isChildOf(parent: RunId, { lineage: { parentRunId } }: RunSummary): Promise<boolean> {
    if (parentRunId === parent) return true
    const summary = await this.#options.store.summary(parent)
    return summary !== undefined && parentRunId === lastingIdOf(summary)
  }

  /** @returns whether the run has heard it, or there is none; not so where it may still be made */
  async #reach(from: RunId, notice: Notice, line: Bag[]): Promise<boolean> {
    let told = await this.#notify(notice, line)
    if (told === undefined) {
      if (await this.#mayBeOnItsWay(from, notice.runId)) return false
      // Between the two looks somebody may have brought its start.
      told = await this.#notify(notice, line)
    }
    if (notice.type === 'cancel' && told !== undefined) this.#options.onStop?.(told)
    return true
  }

  /** Whether somebody else may be about to bring its start, which may lie with the run before this one. */
  async #mayBeOnItsWay(from: RunId, to: RunId): Promise<boolean> {
    const { store } = this.#options
    const before = (await store.summary(from))?.lineage.succession?.previousRunId
    for (const sender of before === undefined ? [from] : [from, before]) {
      const left = await store.due({ limit: LOOK_LIMIT, runId: sender })
      // Where there is more than was looked through, it may be among that: the next reminder will tell.
      if (left.length >= LOOK_LIMIT) return true
      if (left.some((item) => item.type === 'message' && item.message.to === to && isStart(item.message))) return true
    }
    return false
  }

  async #tellEnd(parent: RunId, run: Related, end: ChildEnd, line: Bag[]): Promise<void> {
    const asSignal = endAsSignal(run, end.status)
    if (asSignal !== undefined) {
      await this.#notify({ type: 'signal', runId: parent, ...asSignal }, line)
      return
    }
    const childRunId = lastingIdOf(run)
    try {
      await this.#notify({ type: 'child-ended', runId: parent, childRunId, end }, line)
    } catch (error) {
      if (!BatonError.is(error, 'TOO_LARGE')) throw error
      const tooLarge = codedError('TOO_LARGE', `the output of ${childRunId} is too large for its parent`)
      await this.#notify(
        { type: 'child-ended', runId: parent, childRunId, end: { status: 'failed', error: tooLarge } },
        line,
      )
    }
  }

  /** @returns which run took it: the one it is for, or the one that goes on for it; undefined where there is none */
  async #notify(notice: Notice, line: Bag[]): Promise<RunId | undefined> {
    const bring = (from: RunId, to: RunId) => this.bringSuccessor(from, to)
    const { runId, result } = await notifyNewest(this.#options.store, notice, bring)
    await this.#heed(runId, result, line)
    return result.status === 'unknown-run' ? undefined : runId
  }

  /** What is for this run alone: who goes on for it has a slot of its own. */
  async #notifyHere(notice: Notice, line: Bag[]): Promise<NoticeResult['status']> {
    const result = await this.#options.store.notify(notice)
    await this.#heed(notice.runId, result, line)
    return result.status
  }

  /** What a notice has led to. */
  async #heed(runId: RunId, result: NoticeResult, line: Bag[]): Promise<void> {
    const { store, onAgain } = this.#options
    if (result.status === 'too-large') throw new BatonError('TOO_LARGE', { field: 'message', runId })
    if (result.status !== 'accepted' && result.status !== 'unchanged') return
    if (result.againInMs !== undefined) onAgain?.(runId, result.againInMs)
    if (result.status === 'unchanged') return
    if (result.sent !== undefined) line.push({ from: runId, messages: result.sent })
    if (result.ready.length > 0) {
      const run = await store.summary(runId)
      if (run !== undefined) await this.#send(run, result.ready)
    }
  }

  async #send(run: NewRun | RunSummary, ready: readonly InstanceId[]): Promise<void> {
    if (ready.length === 0) return
    const { queue, logger } = this.#options
    const { runId, flowId, version, priority = 0 } = run
    try {
      const head = { runId, flowId, priority, ...(version === undefined ? {} : { version }) }
      await queue?.enqueue(ready.map((id) => jobFor(head, id, 0)))
    } catch (error) {
      logger.log('warn', 'jobs could not be sent', { runId, error })
    }
  }
}

function isStart({ body }: RunMessage): boolean {
  return body.type === 'start'
}

/** How a run ended, as its parent is told. */
export function endOf({ status, output, error, reason }: RunSummary): ChildEnd {
  switch (status) {
    case 'completed':
      return { status, ...(output === undefined ? {} : { output }) }
    case 'failed':
      return { status, error: error ?? codedError('RUN_FAILED', 'unknown') }
    default:
      return { status: 'cancelled', reason: reason ?? '' }
  }
}
