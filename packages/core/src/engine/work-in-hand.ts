/**
 * What was made ready in this process and was not begun: its worker goes on with it in its own places, which costs no
 * job. What it would not come to soon goes to the queue, for whoever has a place.
 *
 *   commit, start ─► in hand ─┬─► a place is free: claim …
 *                             └─► not within `AHEAD_TICKS` at the pace of the last ticks: jobs
 *
 * Nothing depends on it: what is in hand is ready in the store, and where the worker dies the sweep sends for it.
 */
import type { InstanceId } from '../model/ids.ts'
import type { Claim } from '../ports/claim.ts'
import type { IClock } from '../ports/clock.ts'
import type { IJobQueue, Job } from '../ports/job-queue.ts'
import type { Graph } from './graph.ts'
import { jobFor } from './jobs.ts'
import type { Slots } from './slots.ts'
import type { Urgency } from './urgency.ts'

export interface WorkInHandOptions {
  readonly queue: IJobQueue
  readonly slots: Slots
  readonly clock: IClock
  readonly urgency: Urgency
  isStopping(): boolean
  /** Claims it and works on it, in the place that `release` gives back. */
  begin(graph: Graph, job: Job, release: () => void): void
  /** The queue did not take jobs: the sweep will send them. */
  onUnsent(jobs: readonly Job[], error: unknown): void
}

interface Waiting {
  readonly graph: Graph
  readonly job: Job
}

const TICK_MS = 100
const AHEAD_TICKS = 10
/** Ticks that may say nothing of the pace, when much is started at once. */
const EARLY_TICKS = 2

export class WorkInHand {
  readonly #options: WorkInHandOptions
  /** The more urgent first, and then in the order in which it came, from `#next` on. */
  #waiting: Waiting[] = []
  #next = 0
  #begunInTick = 0
  /** Of those the ones that had a place at once, when more came than there were places. */
  #begunAtOnce = 0
  #addedInTick = 0
  #earlyTicks = 0
  /** How much is begun in a tick, as it seems. */
  #pace = 0
  #isAsking = false
  #cancelTick: (() => void) | undefined

  constructor(options: WorkInHandOptions) {
    this.#options = options
  }

  /**
   * Takes what a commit has made ready. Resolves when what goes to the queue at once has gone.
   * @param graph of the run; undefined where this worker has none for it, or others shall have their turn
   */
  async take(graph: Graph | undefined, head: Claim['head'], ready: readonly InstanceId[]): Promise<void> {
    const { isStopping, urgency } = this.#options
    const jobs = ready.map((id) => jobFor(head, id, 0))
    // More urgent work may wait in the queue, which knows whose turn it is.
    if (graph === undefined || isStopping() || urgency.outranks(head.priority)) return this.#send(jobs)
    for (const job of jobs) this.#add({ graph, job })
    this.#beginAll()
  }

  /** The same for a job that somebody would send. @returns whether it was taken */
  offer(graph: Graph, job: Job): boolean {
    const { isStopping, urgency } = this.#options
    if (isStopping() || urgency.outranks(job.priority ?? 0)) return false
    this.#add({ graph, job })
    this.#beginAll()
    return true
  }

  /** Sends all of it. */
  async giveAway(): Promise<void> {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    await this.#send(this.#takeFrom(this.#next))
  }

  get #count(): number {
    return this.#waiting.length - this.#next
  }

  #add(waiting: Waiting): void {
    const priority = priorityOf(waiting)
    this.#options.urgency.note(priority)
    if (this.#cancelTick === undefined && this.#count === 0) this.#begunInTick = 0
    let place = this.#waiting.length
    while (place > this.#next && priorityOf(this.#waiting[place - 1] as Waiting) < priority) place -= 1
    this.#waiting.splice(place, 0, waiting)
    this.#addedInTick += 1
  }

  #beginAll(): void {
    const { slots } = this.#options
    while (this.#count > 0) {
      const release = slots.tryTake()
      if (release === undefined) break
      this.#begin(release)
    }
    if (this.#count === 0) return
    void this.#ask()
    if (this.#cancelTick !== undefined) return
    this.#begunAtOnce = this.#begunInTick
    this.#addedInTick = 0
    this.#earlyTicks = 0
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => this.#tick())
  }

  /** Takes its turn for a place with what the queue brings, so that neither starves. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    while (this.#count > 0) {
      const release = await this.#options.slots.take()
      if (release === undefined) break
      if (this.#count > 0) this.#begin(release)
      else release()
    }
    this.#isAsking = false
  }

  #begin(release: () => void): void {
    const { graph, job } = this.#waiting[this.#next] as Waiting
    this.#next += 1
    this.#begunInTick += 1
    if (this.#next === this.#waiting.length) this.#takeFrom(this.#next)
    this.#options.begin(graph, job, release)
  }

  #tick(): void {
    this.#cancelTick = undefined
    const isTooSoon = this.#isTooSoon()
    // What was done a moment ago says something as well.
    this.#pace = Math.max(this.#begunInTick, Math.floor(this.#pace / 2))
    this.#begunInTick = 0
    this.#addedInTick = 0
    if (!isTooSoon) void this.#send(this.#takeFrom(this.#next + this.#pace * AHEAD_TICKS))
    if (this.#count > 0) this.#cancelTick = this.#options.clock.after(TICK_MS, () => this.#tick())
  }

  /**
   * Much that is started at once keeps its process from anything else, for longer than a tick where the machine is slow. So a tick
   * in which more of it came says nothing, nor does a first one in which places became free: the next one says how fast.
   */
  #isTooSoon(): boolean {
    const hasFreed = this.#earlyTicks === 0 && this.#begunInTick > this.#begunAtOnce
    if (this.#earlyTicks < EARLY_TICKS && (this.#addedInTick > 0 || hasFreed)) {
      this.#earlyTicks += 1
      return true
    }
    this.#earlyTicks = EARLY_TICKS
    return false
  }

  #takeFrom(place: number): readonly Job[] {
    const taken = this.#waiting.slice(place).map(({ job }) => job)
    this.#waiting = this.#waiting.slice(this.#next, place)
    this.#next = 0
    return taken
  }

  async #send(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return
    try {
      await this.#options.queue.enqueue(jobs)
    } catch (error) {
      this.#options.onUnsent(jobs, error)
    }
  }
}

function priorityOf({ job }: Waiting): number {
  return job.priority ?? 0
}
