/**
 * One call of `consume`: a member of the group, whose messages go to handlers. How many of those run does not depend on how many
 * partitions there are: a message is put aside as soon as it comes, and waits here until there is room.
 *
 * What was begun goes on whatever becomes of the group, since the right to work on it is in the run store.
 */
import {
  type Delivery,
  HandlerSlots,
  type ILogger,
  jobOfText,
  messageOf,
  onAbort,
  QueueOutage,
  settledWithin,
  systemClock,
  wait,
} from '@baton/core/adapter'
import type { IKafkaClient, IKafkaMember, MemberOptions } from '../client-port.ts'
import { absentTopic, failureFields } from '../kafka-errors.ts'
import { Backlog, type Waiting } from './backlog.ts'
import { Burials } from './burials.ts'
import { Commits } from './commits.ts'
import type { DeadLetters } from './dead-letters.ts'
import { KafkaDelivery } from './delivery.ts'
import { HeldMessages } from './held.ts'
import { notBeforeOf, redeliveredOf } from './message-form.ts'
import type { Sender } from './sender.ts'
import { Watchdog } from './watchdog.ts'

/** At the stop handlers may take so long before the partitions are left to others, who then get what is not answered for. */
const LEAVE_AFTER_MS = 1_000
const LAST_ANSWERS_MS = 1_000
/** Where there are several levels, so long at most what has just come waits for what comes with it and may be more urgent. */
const GATHER_MS = 100

export interface ConsumerOptions {
  readonly client: IKafkaClient
  readonly member: Omit<MemberOptions, 'events'>
  /** Has to be there; undefined where there is none. */
  readonly deadLetterTopic: string | undefined
  readonly deadLetters: DeadLetters
  readonly sender: Sender
  readonly concurrency: number
  /** How many messages of a level may be here that nobody works on. */
  readonly mostWaiting: number
  readonly commitMs: number
  readonly silentMs: number
  readonly stop: AbortSignal
  readonly logger: ILogger
}

export class Consumer {
  readonly #handler: (delivery: Delivery) => Promise<void>
  readonly #options: ConsumerOptions
  readonly #slots: HandlerSlots
  readonly #backlog: Backlog
  readonly #commits: Commits
  readonly #held: HeldMessages
  readonly #burials: Burials
  readonly #outage: QueueOutage
  readonly #stopped: Promise<void>
  #member: IKafkaMember | undefined
  #watchdog: Watchdog | undefined
  #fail = (_error: unknown) => {}
  #arrived = () => {}
  #gathered = () => {}

  constructor(handler: (delivery: Delivery) => Promise<void>, options: ConsumerOptions) {
    const { member, concurrency, mostWaiting, commitMs, sender, deadLetters, stop, logger } = options
    this.#handler = handler
    this.#options = options
    this.#slots = new HandlerSlots(concurrency, stop)
    this.#stopped = stopped(stop)
    this.#outage = new QueueOutage(logger, { topic: member.topics.join(', ') })
    this.#backlog = new Backlog({
      topics: member.topics,
      most: mostWaiting,
      pause: (partitions) => this.#member?.pause(partitions),
      resume: (partitions) => this.#member?.resume(partitions),
      onBack: ({ topic, partition }) => this.#fail(new Error(`${topic}/${partition} was read from further back`)),
    })
    this.#commits = new Commits({ commitMs, logger, logs: () => this.#backlog.logs(), member: () => this.#member })
    this.#held = new HeldMessages(sender, () => this.#done())
    this.#burials = new Burials({ deadLetters, stop, logger, onDone: () => this.#done() })
  }

  /** Until the stop. Resolves when no handler runs any more. */
  async run(): Promise<void> {
    const served = this.#serveAll()
    await Promise.all([this.#belong(served), served])
    this.#held.drop()
  }

  /**
   * Is a member of the group, time and again.
   * @param served resolves after the stop, when no handler runs any more
   */
  async #belong(served: Promise<void>): Promise<void> {
    const { stop } = this.#options
    while (!stop.aborted) {
      try {
        await this.#memberUntilFailure(served)
      } catch (error) {
        if (!stop.aborted) await wait(systemClock, this.#outage.failed(failureFields(error)), stop)
      }
    }
  }

  async #memberUntilFailure(served: Promise<void>): Promise<void> {
    const { client, member: settings, stop, silentMs } = this.#options
    await this.#assertTopics()
    if (stop.aborted) return
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    failed.catch(() => {})
    const fail = this.#fail
    let joinedAtMs = Number.POSITIVE_INFINITY
    const member = client.member({
      ...settings,
      events: {
        assigned: (partitions) => {
          this.#backlog.assign(partitions)
          this.#watchdog?.joined()
          joinedAtMs = performance.now()
          // What was done while there was no member.
          this.#commits.soon()
        },
        received: (partition, messages) => {
          this.#backlog.receive(partition, messages)
          this.#arrived()
        },
        // Whoever gets a partition next begins behind all that is done.
        changing: () => void this.#commits.flush(),
        looked: () => {
          this.#watchdog?.looked()
          this.#gathered()
          // Not when it has joined: whoever fails at what is read fails again soon after.
          if (performance.now() - joinedAtMs > 2 * settings.waitMs) this.#outage.answered()
        },
        failed: fail,
      },
    })
    this.#member = member
    this.#watchdog = new Watchdog({
      client,
      groupId: settings.groupId,
      silentMs,
      logs: () => this.#backlog.logs(),
      isPaused: (log) => this.#backlog.isPaused(log),
      onSilent: (why) => fail(new Error(`the consumer has fallen silent: ${why}`)),
    })
    try {
      await Promise.race([failed, this.#untilLeft(member, served)])
    } finally {
      this.#watchdog.end()
      this.#member = undefined
      await member.stop().catch(() => {})
    }
  }

  /** Joins, and stays until the stop. What runs then may end, before others get what was not answered for. */
  async #untilLeft(member: IKafkaMember, served: Promise<void>): Promise<void> {
    await Promise.race([member.start(), this.#stopped])
    await this.#stopped
    member.pause(this.#backlog.logs().filter(({ isOurs }) => isOurs))
    await settledWithin(LEAVE_AFTER_MS, served)
    await settledWithin(LAST_ANSWERS_MS, this.#held.letGo())
    this.#held.drop()
    this.#commits.end()
    await settledWithin(LAST_ANSWERS_MS, this.#commits.flush())
  }

  /** A client that joins a group for a topic that is not there waits for it, and says nothing. */
  async #assertTopics(): Promise<void> {
    const { client, member, deadLetterTopic } = this.#options
    const topics = [...member.topics, ...(deadLetterTopic === undefined ? [] : [deadLetterTopic])]
    const found = await Promise.all(topics.map((topic) => client.reach(topic)))
    const absent = topics.find((_, index) => found[index] === undefined)
    if (absent !== undefined) throw absentTopic(absent, absent === deadLetterTopic ? 'deadLetterTopic' : 'topic')
  }

  /** Gives what waits to the handler, while there is room. */
  async #serveAll(): Promise<void> {
    const { stop } = this.#options
    const stopListening = onAbort(stop, () => this.#arrived())
    while (!stop.aborted) {
      await this.#slots.oneFree()
      if (stop.aborted) break
      const waiting = this.#backlog.next()
      if (waiting === undefined) await this.#arrival()
      else this.#slots.use(this.#serve(waiting))
    }
    stopListening()
    await Promise.all([this.#slots.allFree(), this.#burials.settled()])
  }

  /** Of messages that wait. Those that have come with one answer are all there then, so that the most urgent of them goes first. */
  async #arrival(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#arrived = resolve
    })
    const { member, stop } = this.#options
    if (member.topics.length === 1 || stop.aborted) return
    const gathered = new Promise<void>((resolve) => {
      this.#gathered = resolve
    })
    await settledWithin(GATHER_MS, gathered)
  }

  async #serve({ log, message }: Waiting): Promise<void> {
    const notBeforeMs = notBeforeOf(message)
    if (notBeforeMs > systemClock.now()) return this.#held.hold(log, message, redeliveredOf(message), notBeforeMs)
    const tools = { held: this.#held, deadLetters: this.#options.deadLetters, onDone: () => this.#done() }
    let delivery: KafkaDelivery
    try {
      delivery = new KafkaDelivery(jobOfText(message.text), log, message, tools)
    } catch (error) {
      return this.#burials.begin({ log, message }, messageOf(error))
    }
    try {
      await this.#handler(delivery)
    } catch (error) {
      const { runId } = delivery.job
      this.#options.logger.log('warn', 'a handler failed, its job comes again', { runId, error: messageOf(error) })
    }
    delivery.end()
  }

  #done(): void {
    this.#commits.soon()
    this.#backlog.relieved()
  }
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
