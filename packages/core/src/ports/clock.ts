/** Time and chance enter the engine here, so that tests and the simulator can own them. */
import { onAbort } from './on-abort.ts'

export interface IClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once, unless the returned function is called first. Keeps the process alive until then. */
  after(delayMs: number, callback: () => void): () => void
}

/** @returns a number in [0, 1) */
export type Random = () => number

/** @returns text that nobody else ever gets */
export type NewId = () => string

// Longer delays overflow Node's 32-bit timers and would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: IClock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    let timer: ReturnType<typeof setTimeout>
    const arm = (leftMs: number) => {
      const partMs = Math.min(leftMs, LONGEST_TIMER_MS)
      timer = setTimeout(() => (leftMs > partMs ? arm(leftMs - partMs) : callback()), Math.max(0, partMs))
    }
    arm(delayMs)
    return () => clearTimeout(timer)
  },
}

/** Waits, or stops waiting when the signal fires; then it resolves too, and the caller looks at the signal. */
export function wait(clock: IClock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = () => {
      cancel()
      stopListening()
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    const stopListening = onAbort(signal, done)
  })
}

export const randomId: NewId = () => globalThis.crypto.randomUUID()
