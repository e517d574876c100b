/** Ports with something wrong about them: what a test does to a network, a process or a queue. */
import { BatonError, type IClock, type IJobQueue, type IRunStore, type Job } from '@baton/core'

type Method = (...args: unknown[]) => unknown

/** The same port, with something around each of its calls. */
export function around<Port extends object>(
  port: Port,
  wrap: (method: string, call: () => unknown, args: readonly unknown[]) => unknown,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => wrap(String(name), () => (member as Method).apply(target, args), args)
    },
  })
}

const NOT_CALLS = new Set(['journal', 'context', 'close'])

/** A store behind a cable. While it is pulled nothing is answered and nothing happens: the end of a process, in place. */
export class Cable {
  readonly store: IRunStore
  #isPulled = false
  readonly #hanging = new Set<(error: Error) => void>()

  constructor(store: IRunStore) {
    this.store = around(store, (method, call) => {
      if (!this.#isPulled || NOT_CALLS.has(method)) return call()
      return new Promise((_, reject) => this.#hanging.add(reject))
    })
  }

  pull(): void {
    this.#isPulled = true
  }

  /** The network is back: what hung fails, what comes now is answered. */
  plug(): void {
    this.#isPulled = false
    this.#drop()
  }

  /** What hung fails for good, so that its worker can be stopped. */
  cut(): void {
    this.#drop()
  }

  #drop(): void {
    const hanging = [...this.#hanging]
    this.#hanging.clear()
    for (const reject of hanging) reject(new BatonError('CLOSED', { field: 'store' }))
  }
}

/** A store that does what it is asked, and loses each answer to this method once per question. */
export function losesAnswers(store: IRunStore, methods: readonly string[]): IRunStore {
  const asked = new Set<string>()
  return around(store, (method, call, args) => {
    if (!methods.includes(method)) return call()
    const question = `${method} ${JSON.stringify(args)}`
    if (asked.has(question)) return call()
    asked.add(question)
    return (async () => {
      await call()
      throw new BatonError('STORE_UNAVAILABLE', { message: 'the answer was lost, as part of the test' })
    })()
  })
}

/** What a queue may do to jobs on their way. */
export type Mischief = (jobs: readonly Job[]) => readonly Job[]

export const mischiefs = {
  'loses every job': () => [],
  'doubles every job': (jobs) => jobs.flatMap((job) => [job, job, { ...job }]),
  'reverses the order of jobs': (jobs) => [...jobs].reverse(),
  'loses every second job': (jobs) => jobs.filter((_, index) => index % 2 === 1),
} as const satisfies Record<string, Mischief>

export function withMischief(queue: IJobQueue, mischief: Mischief): IJobQueue {
  return around(queue, (method, call, args) => {
    if (method !== 'enqueue') return call()
    const jobs = mischief(args[0] as readonly Job[])
    return jobs.length === 0 ? undefined : queue.enqueue(jobs)
  })
}

/** A queue that keeps jobs back, and sends them in one go, the last first, when it is told. */
export class HeldBackQueue {
  readonly queue: IJobQueue
  readonly #inner: IJobQueue
  #held: Job[] = []

  constructor(inner: IJobQueue) {
    this.#inner = inner
    this.queue = around(inner, (method, call, args) => {
      if (method !== 'enqueue') return call()
      this.#held.push(...(args[0] as readonly Job[]))
      return undefined
    })
  }

  async release(): Promise<void> {
    const jobs = this.#held.reverse()
    this.#held = []
    await this.#inner.enqueue(jobs)
  }
}

/** The clock of a process that can be stopped like a paused machine: no time passes in it, and no timer fires. */
export class FreezableClock implements IClock {
  readonly #clock: IClock
  #frozenAtMs: number | undefined
  #missed: (() => void)[] = []

  constructor(clock: IClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#frozenAtMs ?? this.#clock.now()
  }

  after(delayMs: number, callback: () => void): () => void {
    let isCancelled = false
    const fire = () => {
      if (isCancelled) return
      if (this.#frozenAtMs === undefined) callback()
      else this.#missed.push(fire)
    }
    const cancel = this.#clock.after(delayMs, fire)
    return () => {
      isCancelled = true
      cancel()
    }
  }

  freeze(): void {
    this.#frozenAtMs = this.#clock.now()
  }

  /** Time is again what it is elsewhere; timers that were missed fire. */
  thaw(): void {
    this.#frozenAtMs = undefined
    for (const fire of this.#missed.splice(0)) fire()
  }
}
