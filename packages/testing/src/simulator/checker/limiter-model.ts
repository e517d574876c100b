/**
 * A limiter as the referee follows it: who has a slot and who waits, in words of its own. Its events say who asked and who
 * has gone; whom that lets in is worked out here.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Gate, LimiterView, RunEvent } from '@baton/core'
import { Violation } from './violation.ts'

interface Waiting {
  readonly runId: string
  readonly priority: number
}

/** What a limiter that moves leaves to the next. */
interface Left {
  readonly held: readonly string[]
  readonly waiting: readonly string[]
  readonly letInAtMs: readonly number[]
}

export class LimiterModel {
  readonly runId: string
  readonly first: string
  readonly held = new Set<string>()
  /** All that were ever let in by it. */
  readonly letIn = new Set<string>()
  /** All that have ever asked it, and all that have told it that they are gone. */
  readonly asked = new Set<string>()
  readonly gone = new Set<string>()
  left: Left | undefined
  #gate: Pick<Gate, 'most' | 'perMs'> = { most: 0 }
  #waiting: Waiting[] = []
  #letInAtMs: number[] = []

  constructor(runId: string, first: string) {
    this.runId = runId
    this.first = first
  }

  /** Begins with what the one before it has left. */
  follows(before: LimiterModel): void {
    this.#gate = before.#gate
    this.#waiting = [...before.#waiting]
    this.#letInAtMs = [...before.#letInAtMs]
    for (const runId of before.held) this.held.add(runId)
  }

  knows(runId: string): boolean {
    return this.held.has(runId) || this.#waiting.some((waiter) => waiter.runId === runId)
  }

  saw(event: RunEvent): void {
    switch (event.type) {
      case 'slot-requested':
        this.#gate = event.gate
        this.asked.add(event.from)
        if (!this.knows(event.from)) this.#queues({ runId: event.from, priority: event.priority })
        break
      case 'slot-released':
        this.#must(this.knows(event.from), `${event.from} gives back what it has not`)
        this.held.delete(event.from)
        this.#waiting = this.#waiting.filter(({ runId }) => runId !== event.from)
        break
      case 'slots-reviewed':
        break
      case 'limiter-moved':
        this.left ??= {
          held: [...this.held],
          waiting: this.#waiting.map(({ runId }) => runId),
          letInAtMs: [...this.#letInAtMs],
        }
        return
      default:
        return
    }
    this.#letsIn(event.atMs)
  }

  /** Against what the limiter itself says. One that has moved says nothing any more. */
  compare({ held, waiting }: LimiterView): void {
    if (this.left !== undefined) return this.#must(held.length + waiting.length === 0, 'it has moved, and keeps slots')
    this.#must(isDeepStrictEqual([...held].sort(), [...this.held].sort()), `${held.join(', ')} have its slots`)
    const line = waiting.map(({ runId }) => runId as string)
    const mine = this.#waiting.map(({ runId }) => runId)
    this.#must(isDeepStrictEqual(line, mine), `${line.join(', ')} wait, and ${mine.join(', ')} should`)
  }

  /** Behind all of its priority. */
  #queues(waiter: Waiting): void {
    const behind = this.#waiting.findIndex(({ priority }) => priority < waiter.priority)
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiter)
  }

  #letsIn(atMs: number): void {
    const { most, perMs } = this.#gate
    for (;;) {
      const [next] = this.#waiting
      const since = perMs === undefined ? 0 : this.#letInAtMs.filter((instant) => instant + perMs > atMs).length
      if (next === undefined || (perMs === undefined ? this.held.size : since) >= most) return
      this.#waiting.shift()
      this.letIn.add(next.runId)
      if (perMs === undefined) this.held.add(next.runId)
      else this.#letInAtMs.push(atMs)
    }
  }

  #must(holds: boolean, message: string): void {
    if (!holds) throw new Violation('LIMIT', this.runId, message)
  }
}
