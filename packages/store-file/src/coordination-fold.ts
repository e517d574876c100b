/**
 * What the operations on coordination keys mean. Every process folds the same operations in the same order, so the
 * answer to an operation is what the fold says at its place, and needs nobody's lock.
 *
 * Time is in the operations: each carries its writer's clock, and the fold's time never goes back. Whether a key had
 * expired is decided by that time and not by who asks, or two processes would disagree.
 */

export type CoordinationOperation = { readonly atMs: number } & (
  | { readonly op: 'set-if-absent'; readonly key: string; readonly value: string; readonly ttlMs?: number }
  | {
      readonly op: 'replace'
      readonly key: string
      readonly expected: string
      readonly value: string
      readonly ttlMs?: number
    }
  | { readonly op: 'delete'; readonly key: string; readonly expected?: string }
  | { readonly op: 'increment'; readonly key: string; readonly by: number; readonly ttlMs?: number }
  | { readonly op: 'extend'; readonly key: string; readonly ttlMs: number }
  /** The last record of an epoch that counts. */
  | { readonly op: 'seal' }
  /** The first records of an epoch: what was left at the end of the one before. */
  | { readonly op: 'carry'; readonly entries: readonly CarriedEntry[] }
)

export type CarriedEntry = readonly [key: string, value: string, untilMs: number | null]

/** `not-a-number`: the value that should be incremented is none. */
export type CoordinationAnswer = boolean | number | 'not-a-number'

interface Entry {
  readonly value: string
  readonly untilMs: number
}

export class CoordinationState {
  readonly #entries = new Map<string, Entry>()
  #nowMs = 0
  #sealed = false

  get sealed(): boolean {
    return this.#sealed
  }

  /** The value at an instant, or at the fold's own time if that is later. */
  get(key: string, atMs: number): string | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.untilMs > Math.max(atMs, this.#nowMs) ? entry.value : undefined
  }

  /** What an operation would answer if nothing came before it; undefined when it would change something. */
  refusal(operation: CoordinationOperation): CoordinationAnswer | undefined {
    if (operation.op === 'seal' || operation.op === 'carry') return undefined
    const value = this.get(operation.key, operation.atMs)
    switch (operation.op) {
      case 'set-if-absent':
        return value === undefined ? undefined : false
      case 'replace':
        return value === operation.expected ? undefined : false
      case 'delete':
        return value === undefined || value !== (operation.expected ?? value) ? false : undefined
      case 'extend':
        return value === undefined ? false : undefined
      case 'increment':
        return Number.isSafeInteger(sumOf(value, operation.by)) ? undefined : 'not-a-number'
      default:
        throw new Error(`no such operation: ${JSON.stringify(operation satisfies never)}`)
    }
  }

  apply(operation: CoordinationOperation): CoordinationAnswer {
    this.#nowMs = Math.max(this.#nowMs, operation.atMs)
    const refusal = this.refusal(operation)
    if (refusal !== undefined) return refusal
    switch (operation.op) {
      case 'set-if-absent':
      case 'replace':
        this.#entries.set(operation.key, { value: operation.value, untilMs: this.#untilMs(operation.ttlMs) })
        return true
      case 'delete':
        return this.#entries.delete(operation.key)
      case 'extend': {
        const value = this.get(operation.key, 0) ?? ''
        this.#entries.set(operation.key, { value, untilMs: this.#untilMs(operation.ttlMs) })
        return true
      }
      case 'increment': {
        const value = this.get(operation.key, 0)
        const sum = sumOf(value, operation.by)
        const before = value === undefined ? undefined : this.#entries.get(operation.key)
        const untilMs = before?.untilMs ?? this.#untilMs(operation.ttlMs)
        this.#entries.set(operation.key, { value: String(sum), untilMs })
        return sum
      }
      case 'seal':
        this.#sealed = true
        return true
      case 'carry':
        for (const [key, value, untilMs] of operation.entries) {
          this.#entries.set(key, { value, untilMs: untilMs ?? Number.POSITIVE_INFINITY })
        }
        return true
      default:
        throw new Error(`no such operation: ${JSON.stringify(operation satisfies never)}`)
    }
  }

  /** What the next epoch begins with, in pieces of a moderate size. */
  *carry(): Generator<CoordinationOperation> {
    let entries: CarriedEntry[] = []
    let length = 0
    for (const [key, { value, untilMs }] of this.#entries) {
      if (untilMs <= this.#nowMs) continue
      entries.push([key, value, untilMs === Number.POSITIVE_INFINITY ? null : untilMs])
      length += key.length + value.length
      if (length < 1_000_000) continue
      yield { op: 'carry', atMs: this.#nowMs, entries }
      entries = []
      length = 0
    }
    // Also when nothing is left: the time goes on from where it was.
    yield { op: 'carry', atMs: this.#nowMs, entries }
  }

  #untilMs(ttlMs: number | undefined): number {
    return ttlMs === undefined ? Number.POSITIVE_INFINITY : this.#nowMs + ttlMs
  }
}

const WHOLE_NUMBER = /^-?\d+$/

function sumOf(value: string | undefined, by: number): number {
  if (value === undefined) return by
  return WHOLE_NUMBER.test(value) ? Number(value) + by : Number.NaN
}
