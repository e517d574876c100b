/**
 * Notices when code of a node asks the real clock, or real chance. Both give what a test cannot repeat, and outside of a
 * step they are not repeated for whoever goes on after a crash either. What is asked for is given all the same.
 */
import { invocationNow } from '../world/code-at-work.ts'

export interface RealRead {
  readonly flowId: string
  readonly nodeId: string
  /** The step that it was asked for in. */
  readonly step: string | undefined
  /** `Date.now()` */
  readonly what: string
  /** The line of code. */
  readonly where: string
}

type Undo = () => void

export class RealTimeWatch {
  readonly #reads = new Map<string, RealRead>()

  /** Each place once. */
  get reads(): readonly RealRead[] {
    return [...this.#reads.values()]
  }

  /** Watches while this runs. */
  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    const { performance, crypto } = globalThis
    const undo = [
      this.#watchDate(),
      this.#watch(Math, 'random', 'Math.random()'),
      this.#watch(performance, 'now', 'performance.now()'),
      this.#watch(crypto, 'randomUUID', 'crypto.randomUUID()'),
    ]
    try {
      return await work()
    } finally {
      for (const back of undo.reverse()) back()
    }
  }

  #watch<Member extends string>(owner: { [name in Member]: () => unknown }, member: Member, what: string): Undo {
    const own = Object.getOwnPropertyDescriptor(owner, member)
    const original = owner[member]
    const note = () => this.#note(what)
    const watched = function (this: unknown, ...args: []) {
      note()
      return original.apply(this, args)
    }
    Object.defineProperty(owner, member, { value: watched, configurable: true, writable: true })
    return () => {
      if (own === undefined) Reflect.deleteProperty(owner, member)
      else Object.defineProperty(owner, member, own)
    }
  }

  /** `Date.now()`, `new Date()` and `Date()`; a date that is made of something is no question. */
  #watchDate(): Undo {
    const real = globalThis.Date
    const unwatchNow = this.#watch(real, 'now', 'Date.now()')
    const watched: DateConstructor = new Proxy(real, {
      construct: (target, args, newTarget): object => {
        if (args.length === 0) this.#note('new Date()')
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget)
      },
      apply: (target, self, args) => {
        this.#note('Date()')
        return Reflect.apply(target, self, args)
      },
    })
    globalThis.Date = watched
    return () => {
      globalThis.Date = real
      unwatchNow()
    }
  }

  #note(what: string): void {
    const invocation = invocationNow()
    if (invocation === undefined) return
    const { flowId, nodeId, step } = invocation
    const where = placeOf(new Error().stack ?? '')
    this.#reads.set(`${flowId} ${nodeId} ${step} ${what} ${where}`, { flowId, nodeId, step, what, where })
  }
}

/** The first place in a stack that is none of ours. */
function placeOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '))
  const foreign = frames.find((frame) => !frame.includes('real-time-watch'))
  const place = /\(?((?:file:\/\/)?[^()\s]+:\d+):\d+\)?$/.exec(foreign?.trim() ?? '')?.[1] ?? ''
  return place.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '')
}
