/**
 * The line in which the instances of one run, and of those that it has started, wait for a place in this process: the
 * queue and the slots of a worker, without a store.
 */
import type { InstanceId } from '../model/ids.ts'

/** A run as the line sees it. */
export interface InLine {
  /** Its turn has come. */
  take(instanceId: InstanceId): void
  /** Nothing of it can be started at the moment. */
  rest(): void
}

/** Taken places of the list are given back when there are this many of them. */
const COMPACT_AT = 1_024

export class LocalLine {
  readonly #concurrency: number
  #runs: InLine[] = []
  #instances: InstanceId[] = []
  #head = 0
  #isPumping = false
  readonly #taken = new Set<InLine>()
  /** How many instances run. */
  running = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  push(run: InLine, instanceId: InstanceId): void {
    this.#runs.push(run)
    this.#instances.push(instanceId)
  }

  has(run: InLine, instanceId: InstanceId): boolean {
    for (let place = this.#head; place < this.#runs.length; place++) {
      if (this.#runs[place] === run && this.#instances[place] === instanceId) return true
    }
    return false
  }

  /** Starts what waits, as far as places are free. Asked for while it does so, it goes on with what has come. */
  pump(asker: InLine): void {
    this.#taken.add(asker)
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.running < this.#concurrency && this.#head < this.#runs.length) {
      const run = this.#runs[this.#head] as InLine
      const instanceId = this.#instances[this.#head] as InstanceId
      this.#head += 1
      this.#taken.add(run)
      run.take(instanceId)
    }
    this.#isPumping = false
    if (this.#head >= COMPACT_AT) this.#compact()
    const taken = [...this.#taken]
    this.#taken.clear()
    for (const run of taken) run.rest()
  }

  #compact(): void {
    this.#runs = this.#runs.slice(this.#head)
    this.#instances = this.#instances.slice(this.#head)
    this.#head = 0
  }
}
