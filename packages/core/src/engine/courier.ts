/**
 * Brings messages from run to run: starts children, calls them off, tells parents how they ended, passes signals on.
 *
 * A run keeps what it has to say until it was taken. So whoever made the commit delivers at once, and what a crash, an
 * outage or a lost note leaves over is found by the sweep and delivered again; the run it is for applies it once. What a
 * delivery makes that run say in turn (a child that is called off calls off its own) is delivered in the same go.
 */
import type { RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { Notice } from '../ports/notice.ts'
import { bringStart } from './bring-start.ts'
import { type Bag, type CourierOptions, Round } from './courier-round.ts'
import { type DueMessage, findStart } from './find-start.ts'
import { type LimiterNews, tellLimiter } from './limiter-post.ts'
import { callOff, reach } from './reach.ts'
import { endOf, tellEnd } from './tell-end.ts'

export class Courier {
  readonly #options: CourierOptions

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** Delivers what can be delivered. Never throws: what is left over is the sweep's. */
  async deliver(from: RunId, messages: readonly RunMessage[]): Promise<void> {
    const round = this.#newRound()
    round.add({ from, messages })
    await this.#finish(round)
  }

  /** Tells a run what no other run says, such as that its time is up, and delivers what it says to that. */
  async tell(notice: Notice): Promise<void> {
    const round = this.#newRound()
    await round.tell(notice)
    await this.#finish(round)
  }

  /** Delivers what the store has kept. */
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
    const round = this.#newRound()
    try {
      await round.tellHere({ type: 'slots-due', runId: limiter })
    } catch (error) {
      this.#options.logger.log('warn', 'a limiter could not be told the time; the sweep will', {
        runId: limiter,
        error,
      })
    }
    await this.#finish(round)
  }

  /**
   * Brings the start of a run that is known to go on for another one, and that nobody has made yet. Throws what the store throws:
   * who asks must not take a run that cannot be made now for one that is not there.
   */
  async bringSuccessor(from: RunId, to: RunId): Promise<void> {
    const start = await findStart(this.#options.store, from, to)
    if (start === undefined || start === 'unseen') return
    const round = this.#newRound()
    const { message } = start.item
    if (await this.#bring(round, from, message)) await this.#noteTaken(from, [message.key])
    await this.#finish(round)
  }

  #newRound(): Round {
    return new Round(this.#options, (from, to) => this.bringSuccessor(from, to))
  }

  async #finish(round: Round): Promise<void> {
    for (let bag = round.take(); bag !== undefined; bag = round.take()) await this.#deliverBag(round, bag)
  }

  async #deliverBag(round: Round, { from, messages }: Bag): Promise<void> {
    const { logger } = this.#options
    const taken: string[] = []
    const closed = new Set<RunId>()
    try {
      for (const message of messages) {
        // In order for each receiver: a child is started before it is called off.
        if (closed.has(message.to)) continue
        if (await this.#bring(round, from, message)) {
          taken.push(message.key)
          round.noteTaken(from, message.key)
        } else closed.add(message.to)
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
  async #bring(round: Round, from: RunId, { key, to, body }: RunMessage): Promise<boolean> {
    switch (body.type) {
      case 'start':
        return bringStart(round, from, body.run)
      case 'cancel':
        return callOff(round, { from, key }, to, body.reason)
      case 'cancel-run':
        return reach(round, { from, key }, { type: 'cancel', runId: to, reason: body.reason })
      case 'signal': {
        const { name, payload } = body
        const news = { name, ...(payload === undefined ? {} : { payload }), signalId: `${from}/${key}` }
        return reach(round, { from, key }, { type: 'signal', runId: to, ...news })
      }
      case 'child-ended': {
        const summary = await this.#options.store.summary(from)
        if (summary !== undefined) await tellEnd(round, to, summary, endOf(summary))
        return true
      }
      case 'slot-request': {
        const { gate, priority } = body
        const notice = (runId: RunId) => ({ type: 'slot-request', runId, from, gate, priority }) as const
        return this.#tellLimiter(round, { limiter: to, notice, gate })
      }
      case 'slot-release':
        return this.#release(round, to, from)
      case 'slot-grant': {
        const status = await round.tellHere({ type: 'slot-grant', runId: to, limiter: body.limiter })
        // What is over by now will not give back what it never had: so it is done here.
        if (status === 'ended' || status === 'unknown-run') return this.#release(round, body.limiter, to)
        return true
      }
      case 'limiter-move':
        await round.tellHere({ type: 'limiter-move', runId: to, generation: body.generation })
        return true
    }
  }

  #release(round: Round, limiter: RunId, from: RunId): Promise<boolean> {
    return this.#tellLimiter(round, { limiter, notice: (runId) => ({ type: 'slot-release', runId, from }) })
  }

  async #tellLimiter(round: Round, news: LimiterNews): Promise<boolean> {
    const reply = await tellLimiter(this.#options.store, news)
    if (reply !== undefined) await round.heed(reply.runId, reply.result)
    return reply !== undefined
  }
}
