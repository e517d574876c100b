/**
 * Calls back when a signal fires. A caller may give one signal to a thousand waits: there is one listener on it for all
 * of them, since more than ten make Node warn of a leak, and none when nobody waits any more.
 */
const waiting = new WeakMap<AbortSignal, Waiting>()
const nothing = () => {}

/**
 * Like a listener of the signal itself: not called for one that has fired before.
 * @returns how to end it
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined || signal.aborted) return nothing
  let others = waiting.get(signal)
  if (others === undefined) {
    others = new Waiting(signal)
    waiting.set(signal, others)
  }
  return others.add(callback)
}

class Waiting {
  readonly #signal: AbortSignal
  readonly #entries = new Set<{ readonly callback: () => void }>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#fire, { once: true })
  }

  add(callback: () => void): () => void {
    // The same function may wait twice.
    const entry = { callback }
    this.#entries.add(entry)
    return () => {
      if (this.#entries.delete(entry) && this.#entries.size === 0) this.#end()
    }
  }

  /** All are called: what one of them throws is thrown when the others have been. */
  readonly #fire = () => {
    const entries = [...this.#entries]
    const thrown: unknown[] = []
    for (const entry of entries) {
      // Called off by one before it.
      if (!this.#entries.has(entry)) continue
      try {
        entry.callback()
      } catch (error) {
        thrown.push(error)
      }
    }
    this.#entries.clear()
    this.#end()
    if (thrown.length > 0) throw thrown[0]
  }

  #end(): void {
    this.#signal.removeEventListener('abort', this.#fire)
    if (waiting.get(this.#signal) === this) waiting.delete(this.#signal)
  }
}
