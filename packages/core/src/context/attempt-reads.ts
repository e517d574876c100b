/**
 * What one attempt knows of its run's context: each key is read once, when it is first asked for, and stays as it was
 * found, whatever other branches commit meanwhile. Only what the attempt itself commits on the way (the writes of its
 * steps) is laid over it.
 *
 * While such a commit is under way nobody can tell whether a read of the store sees it. So new reads wait for its end,
 * and one that was under way when it began is done again; nothing is counted twice.
 */
import { applyDelta, type ContextEntry, type Delta } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { JsonValue } from '../model/json.ts'
import type { ContextSource } from '../ports/async-context.ts'

export interface AttemptReadsOptions {
  readonly source: ContextSource
  /** What was read in the claim, and the keys that were looked for there: those not brought are absent. */
  readonly preloaded?: ReadonlyMap<string, ContextEntry>
  readonly declared?: readonly string[]
}

/** A value that is known, also when it is known to be absent. */
export interface Known {
  readonly value: JsonValue | undefined
}

interface Found extends Known {
  /** Not known where the value was never read, but set by the attempt itself. */
  readonly version: number | undefined
}

const ABSENT: Found = { value: undefined, version: 0 }

export class AttemptReads {
  readonly #source: ContextSource
  readonly #found = new Map<string, Found>()
  /** Reads and commits under way. They tell that something is over, not how it went, and never reject. */
  readonly #underWay = new Map<string, Promise<void>>()
  #commits: Gate | undefined
  #commitCount = 0
  #complete = false

  constructor({ source, preloaded, declared = [] }: AttemptReadsOptions) {
    this.#source = source
    if (preloaded !== undefined) for (const [key, entry] of preloaded) this.#found.set(key, entry)
    for (const key of declared) if (!this.#found.has(key)) this.#found.set(key, ABSENT)
  }

  /** Changes whenever what is known may have changed other than by reading more. */
  get commitCount(): number {
    return this.#commitCount
  }

  get(key: string): Known | undefined {
    return this.#lookup(key)
  }

  keys(): Iterable<string> {
    return this.#found.keys()
  }

  /** Reads those of the keys that are not known yet, in one atomic read. */
  async load(keys: readonly string[]): Promise<void> {
    for (;;) {
      const missing = keys.filter((key) => this.get(key) === undefined)
      if (missing.length === 0) return
      const busy =
        this.#commits?.passed ?? missing.map((key) => this.#underWay.get(key)).find((read) => read !== undefined)
      await (busy ?? this.#fetch(missing))
    }
  }

  async loadAll(): Promise<void> {
    while (!this.#complete) {
      if (this.#commits !== undefined) {
        await this.#commits.passed
        continue
      }
      const before = this.#commitCount
      const entries = await this.#source.readAll()
      if (before !== this.#commitCount) continue
      for (const [key, entry] of entries) if (!this.#found.has(key)) this.#found.set(key, entry)
      this.#complete = true
    }
  }

  async version(key: string): Promise<number> {
    for (;;) {
      const found = this.#lookup(key)
      if (found?.version !== undefined) return found.version
      // A version speaks of a value, so both are read anew where only the value was known.
      this.#forget(key)
      await this.load([key])
    }
  }

  async #fetch(keys: readonly string[]): Promise<void> {
    const before = this.#commitCount
    const gate = new Gate().enter()
    for (const key of keys) this.#underWay.set(key, gate.passed)
    try {
      const entries = await this.#source.read(keys)
      if (before !== this.#commitCount) return
      for (const key of keys) if (!this.#found.has(key)) this.#found.set(key, entries.get(key) ?? ABSENT)
    } finally {
      for (const key of keys) this.#underWay.delete(key)
      gate.leave()
    }
  }

  /** A step's deltas are on their way to the store; `commitEnds` must follow, however it went. */
  commitBegins(): void {
    this.#commitCount += 1
    this.#commits ??= new Gate()
    this.#commits.enter()
  }

  commitEnds(): void {
    if (this.#commits?.leave()) this.#commits = undefined
  }

  /** These deltas are in the store now: what is known of their keys changes likewise. */
  committed(deltas: readonly Delta[]): void {
    this.#commitCount += 1
    const views = new Map<string, Known | undefined>()
    for (const delta of deltas) {
      const before = views.has(delta.key) ? views.get(delta.key) : this.#lookup(delta.key)
      views.set(delta.key, tryReplay(before, delta))
    }
    for (const [key, known] of views) {
      const version = this.#lookup(key)?.version
      if (known === undefined) this.#forget(key)
      else if (known.value === undefined) this.#found.set(key, ABSENT)
      else this.#found.set(key, { value: known.value, version: version === undefined ? undefined : version + 1 })
    }
  }

  #lookup(key: string): Found | undefined {
    return this.#found.get(key) ?? (this.#complete ? ABSENT : undefined)
  }

  #forget(key: string): void {
    if (this.#found.delete(key)) this.#complete = false
  }
}

/** Something under way that others wait for. It passes when the last one has left. */
class Gate {
  #inside = 0
  #open: () => void = () => {}
  readonly passed = new Promise<void>((resolve) => {
    this.#open = resolve
  })

  enter(): this {
    this.#inside += 1
    return this
  }

  /** True for the last one. */
  leave(): boolean {
    this.#inside -= 1
    if (this.#inside > 0) return false
    this.#open()
    return true
  }
}

/** The value after the deltas, as far as it can be known: a key that is set or deleted whole needs no read. */
export function replay(known: Known | undefined, deltas: readonly Delta[], own?: WeakSet<object>): Known | undefined {
  let view = known
  for (const delta of deltas) {
    const isWhole = delta.path === undefined && (delta.op === 'set' || delta.op === 'delete')
    if (view !== undefined || isWhole) view = { value: applyDelta(view?.value, delta, own) }
  }
  return view
}

function tryReplay(known: Known | undefined, delta: Delta): Known | undefined {
  try {
    return replay(known, [delta])
  } catch (error) {
    // The store took it, so what this attempt knew of the key was not what the store had. It is read again.
    if (BatonError.is(error, 'DELTA_CONFLICT')) return undefined
    throw error
  }
}
