/**
 * A queue that keeps no promise but the least: what it was given may come, perhaps. It delivers in any order, loses,
 * doubles and delays as the faults say, and gives a job again that nobody answered.
 */
import type { IJobQueue, Job } from '@baton/core'
import type { ConsumeOptions, Delivery } from '@baton/core/adapter'
import type { Actor } from './actor.ts'
import type { Happening } from './timeline.ts'
import type { World } from './world.ts'

interface Message {
  readonly job: Job
  redelivered: number
  isGone: boolean
}

interface Consumer {
  readonly actor: Actor
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly concurrency: number
  readonly signal: AbortSignal
  running: number
  /** Told when nothing of it runs any more. */
  onRest: (() => void) | undefined
}

export class SimQueue {
  readonly #world: World
  readonly #visibilityMs: number
  readonly #consumers: Consumer[] = []
  /** Nobody has a place free for these. */
  #waiting: Message[] = []
  #all = new Set<Message>()
  readonly #returns = new Map<Message, Happening>()

  constructor(world: World, visibilityMs: number) {
    this.#world = world
    this.#visibilityMs = visibilityMs
  }

  /** How many jobs are somewhere in it. */
  get size(): number {
    return this.#all.size
  }

  /** All that it holds is lost. */
  wipe(): void {
    for (const message of this.#all) message.isGone = true
    this.#all = new Set()
    this.#waiting = []
  }

  /** The queue as one process sees it. */
  portOf(actor: Actor): IJobQueue {
    return {
      enqueue: (jobs) =>
        actor.call('enqueue', () => this.#take(jobs), { detail: () => jobs.map(nameOf).join(' ') }) as Promise<void>,
      consume: (handler, options) => this.#consume(actor, handler, options),
      close: () => {},
    }
  }

  #take(jobs: readonly Job[]): void {
    for (const job of jobs) {
      for (const delayMs of this.#world.faults.waysOfJob(job)) {
        const message: Message = { job: { ...job }, redelivered: 0, isGone: false }
        this.#all.add(message)
        this.#offer(message, delayMs)
      }
    }
  }

  #consume(
    actor: Actor,
    handler: (delivery: Delivery) => Promise<void>,
    { concurrency, signal }: ConsumeOptions,
  ): Promise<void> {
    const consumer: Consumer = { actor, handler, concurrency, signal, running: 0, onRest: undefined }
    this.#consumers.push(consumer)
    this.#offerWaiting()
    return new Promise((resolve) => {
      const leave = () => {
        if (consumer.running === 0) resolve()
        else consumer.onRest = resolve
      }
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
    })
  }

  #offer(message: Message, delayMs: number): Happening {
    const run = () => this.#deliver(message)
    return this.#world.add({ delayMs, actor: undefined, what: 'offer', detail: () => nameOf(message.job), run })
  }

  #offerWaiting(): void {
    for (const message of this.#waiting.splice(0)) this.#offer(message, 0)
  }

  /** To any consumer with a place free; the way to it takes a step of its own. */
  #deliver(message: Message): void {
    if (message.isGone) return
    const able = this.#consumers.filter(
      ({ actor, running, concurrency, signal }) =>
        !actor.isGone && !actor.isFrozen && running < concurrency && !signal.aborted,
    )
    if (able.length === 0) {
      this.#waiting.push(message)
      return
    }
    const consumer = able[this.#world.faults.below(able.length)] as Consumer
    consumer.running += 1
    this.#world.add({
      delayMs: 0,
      actor: consumer.actor,
      what: 'deliver',
      detail: () => `${consumer.actor.name} ${nameOf(message.job)}`,
      run: () => this.#handle(consumer, message),
      caller: consumer.actor,
    })
    // A consumer that dies before it has it never answers.
    this.#comesAgain(message, this.#visibilityMs)
  }

  #comesAgain(message: Message, delayMs: number): void {
    this.#stays(message)
    const again = this.#world.add({
      delayMs,
      actor: undefined,
      what: 'unanswered',
      detail: () => nameOf(message.job),
      run: () => {
        this.#returns.delete(message)
        if (message.isGone) return
        message.redelivered += 1
        this.#deliver(message)
      },
    })
    this.#returns.set(message, again)
  }

  #stays(message: Message): void {
    const again = this.#returns.get(message)
    if (again !== undefined) again.isCancelled = true
    this.#returns.delete(message)
  }

  #handle(consumer: Consumer, message: Message): void {
    const { actor } = consumer
    let isAnswered = false
    const answers = (what: string, apply: () => void) =>
      actor.call(
        what,
        () => {
          if (isAnswered) return
          isAnswered = true
          this.#stays(message)
          apply()
        },
        { isShort: true, detail: () => nameOf(message.job) },
      )
    const ends = () => {
      message.isGone = true
      this.#all.delete(message)
    }
    const delivery: Delivery = {
      job: message.job,
      redelivered: message.redelivered,
      acknowledge: () => answers('acknowledge', ends),
      handBack: ({ delayMs }) =>
        answers('hand back', () => {
          message.redelivered += 1
          this.#offer(message, delayMs)
        }),
      extend: ({ byMs }) =>
        actor.call('extend', () => (isAnswered ? undefined : this.#comesAgain(message, byMs)), { isShort: true }),
      deadLetter: () => answers('dead-letter', ends),
    }
    const spoilt = this.#world.mutant?.delivery?.(delivery, actor) ?? delivery
    const rest = () => {
      consumer.running -= 1
      if (consumer.running === 0 && consumer.signal.aborted) consumer.onRest?.()
      this.#offerWaiting()
    }
    consumer.handler(spoilt).then(rest, rest)
  }
}

function nameOf({ runId, instanceId, dispatch }: Job): string {
  return `${runId}/${instanceId}${dispatch === 0 ? '' : `~${dispatch}`}`
}
