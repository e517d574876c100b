/** Those who wait for a slot: the highest priority first, and of one priority whoever came first. */
import type { RunId } from './ids.ts'

export interface Waiter {
  readonly runId: RunId
  readonly priority: number
  readonly sinceMs: number
}

export class WaitingLine {
  /** A map keeps the order in which its members came, and lets go of one of them at once. */
  readonly #lines = new Map<number, Map<RunId, Waiter>>()
  readonly #priorities = new Map<RunId, number>()

  get size(): number {
    return this.#priorities.size
  }

  has(runId: RunId): boolean {
    return this.#priorities.has(runId)
  }

  add(waiter: Waiter): void {
    const { runId, priority } = waiter
    this.#priorities.set(runId, priority)
    const line = this.#lines.get(priority)
    if (line === undefined) this.#lines.set(priority, new Map([[runId, waiter]]))
    else line.set(runId, waiter)
  }

  /** @returns whether it was there */
  remove(runId: RunId): boolean {
    const priority = this.#priorities.get(runId)
    if (priority === undefined) return false
    this.#priorities.delete(runId)
    const line = this.#lines.get(priority)
    line?.delete(runId)
    if (line?.size === 0) this.#lines.delete(priority)
    return true
  }

  takeFirst(): Waiter | undefined {
    // Few priorities are in use at a time, so that they need no order of their own.
    const first = this.#lines
      .get(Math.max(...this.#lines.keys()))
      ?.values()
      .next().value
    if (first !== undefined) this.remove(first.runId)
    return first
  }

  /** In the order in which they will be let in. */
  list(): Waiter[] {
    const priorities = [...this.#lines.keys()].sort((left, right) => right - left)
    return priorities.flatMap((priority) => [...(this.#lines.get(priority)?.values() ?? [])])
  }
}
