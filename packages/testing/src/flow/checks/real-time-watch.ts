/**
 * Notices when code of a node asks the real clock, or real chance. Both give what a test cannot repeat, and outside of a
 * step they are not repeated for whoever goes on after a crash either. What is asked for is given all the same.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { invocationNow } from '../world/code-at-work.ts'
import { watchGlobals } from './watched-globals.ts'

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

/** Whose check it is: several may go on at the same time. */
const watching = new AsyncLocalStorage<RealTimeWatch>()

export class RealTimeWatch {
  readonly #reads = new Map<string, RealRead>()

  /** Each place once. */
  get reads(): readonly RealRead[] {
    return [...this.#reads.values()]
  }

  /** Watches while this runs. */
  async during<Value>(work: () => Promise<Value>): Promise<Value> {
    const unwatch = watchGlobals((what) => watching.getStore()?.note(what))
    try {
      return await watching.run(this, work)
    } finally {
      unwatch()
    }
  }

  note(what: string): void {
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
  const foreign = frames.find((frame) => !/real-time-watch|watched-globals/.test(frame))
  const place = /\(?((?:file:\/\/)?[^()\s]+:\d+):\d+\)?$/.exec(foreign?.trim() ?? '')?.[1] ?? ''
  return place.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '')
}
