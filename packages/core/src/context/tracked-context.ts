/**
 * The context handed to a node: reads through to the store, records deltas.
 *
 * What an attempt has read is fixed and shared by its contexts (`AttemptReads`); each context lays its own deltas on
 * top. The engine takes the deltas and commits them with the node.
 *
 * A step gets a fork, since what it writes has another fate: it commits with the step at once, and is gone when the step
 * fails. Forks keep parallel steps apart. The life of one: `fork()`, run the step's function, `takeDeltas()`, commit,
 * `keep()`; or `drop()` where the step failed. In between, the node's own context stands for the fork, so that the
 * function of a step may as well use the `context` around it; but once two steps run at the same time nobody can tell
 * whose write it is, and it is refused until they are over.
 *
 * A step's writes commit before those that the node made earlier, outside of steps. Where that order would make a
 * difference, the write in the step is refused: neither now nor when the node is entered again could it last.
 */
import { type ContextEntry, checkKey, composeDeltas, type Delta, relate } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { ContextSource, IAsyncContext, PathOptions, SetOptions } from '../ports/async-context.ts'
import type { ISerializer } from '../ports/serializer.ts'
import { AttemptReads, type Known, replay } from './attempt-reads.ts'
import { appendDelta, checkedDelta, deleteDelta, fieldOf, incrementDelta, mergeDelta, setDelta } from './make-delta.ts'

export interface TrackedContextOptions {
  readonly source: ContextSource
  readonly serializer: ISerializer
  /** What the claim brought along. */
  readonly preloaded?: ReadonlyMap<string, ContextEntry>
  /** The keys that the claim looked for: those of them that it did not bring are absent. */
  readonly declared?: readonly string[]
}

const NONE: readonly Delta[] = []

export class TrackedAsyncContext implements IAsyncContext {
  readonly #options: TrackedContextOptions
  readonly #serializer: ISerializer
  readonly #parent: TrackedAsyncContext | undefined
  // What follows is made when first needed: most nodes never touch their context, and pay nothing for it.
  #attempt: AttemptReads | undefined
  /** Recorded and not known to be in the store, by key. */
  #own: Map<string, Delta[]> | undefined
  /** The same in order, as far as nobody took it. */
  #pending: Delta[] | undefined
  #taken: readonly Delta[] = NONE
  /** Values with the own deltas applied, as of the attempt's last commit. */
  #views: Map<string, Known> | undefined
  #viewsAsOf = 0
  /** What the views do not share with anybody. */
  #viewParts: WeakSet<object> | undefined
  #forks: Set<TrackedAsyncContext> | undefined
  #forksOverlap = false
  #closed = false

  constructor(options: TrackedContextOptions, parent?: TrackedAsyncContext) {
    this.#options = options
    this.#serializer = options.serializer
    this.#parent = parent
    if (parent !== undefined) this.#attempt = parent.#reads
  }

  async get<T = unknown>(key: string): Promise<T | undefined> {
    checkKey(key, 'context')
    const context = this.#acting
    return context.#whenKnown([key], () => context.#decode(key)) as Promise<T | undefined>
  }

  async getMany<T extends object = Record<string, unknown>>(keys: readonly (keyof T & string)[]): Promise<Partial<T>> {
    for (const key of keys) checkKey(key, 'context')
    const context = this.#acting
    return context.#whenKnown(keys, () => context.#decodeAll(keys)) as Promise<Partial<T>>
  }

  async has(key: string): Promise<boolean> {
    checkKey(key, 'context')
    const context = this.#acting
    return context.#whenKnown([key], () => context.#view(key)?.value !== undefined)
  }

  async version(key: string): Promise<number> {
    checkKey(key, 'context')
    return this.#reads.version(key)
  }

  async toJSON(): Promise<Record<string, unknown>> {
    const context = this.#acting
    await this.#reads.loadAll()
    const keys = new Set(this.#reads.keys())
    for (let layer: TrackedAsyncContext | undefined = context; layer !== undefined; layer = layer.#parent) {
      for (const key of layer.#own?.keys() ?? []) keys.add(key)
    }
    return context.#whenKnown([...keys], () => context.#decodeAll([...keys]))
  }

  async set(key: string, value: unknown, options: SetOptions = {}): Promise<void> {
    this.#record([setDelta(this.#serializer, key, value, options)])
  }

  async delete(key: string, options: PathOptions = {}): Promise<void> {
    this.#record([deleteDelta(key, options)])
  }

  async increment(key: string, by: number, options: PathOptions = {}): Promise<void> {
    this.#record([incrementDelta(key, by, options)])
  }

  async append(key: string, values: readonly unknown[], options: PathOptions = {}): Promise<void> {
    this.#record([appendDelta(this.#serializer, key, values, options)])
  }

  async merge(key: string, value: object, options: PathOptions = {}): Promise<void> {
    this.#record([mergeDelta(this.#serializer, key, value, options)])
  }

  async patch(deltas: readonly Delta[]): Promise<void> {
    this.#record(deltas.map((delta) => checkedDelta(this.#serializer, delta)))
  }

  /** How many deltas were recorded since the last `takeDeltas`. */
  get deltaCount(): number {
    return this.#pending?.length ?? 0
  }

  /**
   * The deltas recorded since the last call, composed, for the caller to commit. Reads go on seeing them. Of a fork it
   * is also the end: its step is over, and `keep` or `drop` must follow.
   */
  takeDeltas(): readonly Delta[] {
    const deltas = this.#pending === undefined ? NONE : composeDeltas(this.#pending)
    this.#pending = undefined
    if (this.#parent !== undefined) {
      this.#leaveParent(this.#parent)
      if (deltas.length === 0) return deltas
      this.#reads.commitBegins()
      this.#taken = deltas
    } else if (deltas.length > 0) {
      this.#reads.committed(deltas)
      this.#own = undefined
    }
    return deltas
  }

  /** A context for one step. It sees what this one sees; what is written to it stays in it until `keep`. */
  fork(): TrackedAsyncContext {
    const fork = new TrackedAsyncContext(this.#options, this)
    this.#forks ??= new Set()
    this.#forks.add(fork)
    if (this.#forks.size > 1) this.#forksOverlap = true
    return fork
  }

  /** The step is recorded and the deltas taken from this fork are in the store: everybody in the attempt sees them. */
  keep(): void {
    this.#endFork(true)
  }

  /** The step failed: what it wrote is as if it had never been. */
  drop(): void {
    this.#endFork(false)
  }

  /** The attempt is over. Code that goes on all the same can still read, and its writes are refused. */
  close(): void {
    this.#closed = true
  }

  #endFork(isCommitted: boolean): void {
    if (this.#parent !== undefined) this.#leaveParent(this.#parent)
    const taken = this.#taken
    this.#taken = NONE
    this.#own = undefined
    this.#pending = undefined
    this.#views = undefined
    if (taken.length === 0) return
    if (isCommitted) this.#reads.committed(taken)
    this.#reads.commitEnds()
  }

  #leaveParent(parent: TrackedAsyncContext): void {
    this.#closed = true
    if (parent.#forks === undefined) return
    parent.#forks.delete(this)
    if (parent.#forks.size === 0) parent.#forksOverlap = false
  }

  // What is seen

  get #reads(): AttemptReads {
    this.#attempt ??= new AttemptReads(this.#options)
    return this.#attempt
  }

  /** Who acts for this context: the one step that is running, if its writes can be told from others; else itself. */
  get #acting(): TrackedAsyncContext {
    if (this.#forks === undefined || this.#forks.size !== 1 || this.#forksOverlap) return this
    const [fork = this] = this.#forks
    return fork
  }

  /** Looks once all keys are known, and before anything else can happen. */
  async #whenKnown<Seen>(keys: readonly string[], look: () => Seen): Promise<Seen> {
    for (;;) {
      const missing = keys.filter((key) => this.#view(key) === undefined)
      if (missing.length === 0) return look()
      await this.#reads.load(missing)
    }
  }

  #view(key: string): Known | undefined {
    if (this.#viewsAsOf !== this.#reads.commitCount) {
      this.#viewsAsOf = this.#reads.commitCount
      this.#views = undefined
    }
    const view = this.#views?.get(key)
    if (view !== undefined) return view
    const below = this.#parent === undefined ? this.#reads.get(key) : this.#parent.#view(key)
    const own = this.#own?.get(key)
    return own === undefined ? below : this.#remember(key, replay(below, own))
  }

  #remember(key: string, view: Known | undefined): Known | undefined {
    this.#views ??= new Map()
    if (view !== undefined) this.#views.set(key, view)
    return view
  }

  #decode(key: string): unknown {
    const value = this.#view(key)?.value
    return value === undefined ? undefined : this.#serializer.decode(value)
  }

  #decodeAll(keys: readonly string[]): Record<string, unknown> {
    const present = keys.filter((key) => this.#view(key)?.value !== undefined)
    return Object.fromEntries(present.map((key) => [key, this.#decode(key)]))
  }

  // What is written

  #record(deltas: readonly Delta[]): void {
    const context = this.#acting
    if (context !== this) return context.#record(deltas)
    this.#assertWritable(deltas)

    const views = new Map<string, Known | undefined>()
    this.#viewParts ??= new WeakSet()
    try {
      for (const delta of deltas) {
        const before = views.has(delta.key) ? views.get(delta.key) : this.#view(delta.key)
        views.set(delta.key, replay(before, [delta], this.#viewParts))
      }
    } catch (error) {
      // Views may have changed in place before one delta was refused; they are made anew from what is noted.
      this.#views = undefined
      throw error
    }

    // Nothing was refused, so all of it is noted.
    this.#own ??= new Map()
    this.#pending ??= []
    for (const delta of deltas) {
      const own = this.#own.get(delta.key)
      if (own === undefined) this.#own.set(delta.key, [delta])
      else own.push(delta)
      this.#pending.push(delta)
    }
    for (const [key, view] of views) this.#remember(key, view)
  }

  get #isOver(): boolean {
    return this.#parent === undefined ? this.#closed : this.#closed || this.#parent.#isOver
  }

  #assertWritable(deltas: readonly Delta[]): void {
    const parent = this.#parent
    const [first] = deltas
    if (first === undefined) return
    const field = fieldOf(first.key, first.path)
    if (this.#isOver) throw new BatonError('ATTEMPT_ENDED', { field })
    if (this.#forks !== undefined && this.#forks.size > 0) {
      throw new BatonError('INVALID_OPTION', {
        field,
        message: 'several steps run at the same time, and it is unclear to which of them this write belongs',
        hint: 'Write to the context that the function of the step receives, or wait until the steps are over.',
      })
    }
    if (parent === undefined || parent.#own === undefined) return
    for (const delta of deltas) {
      if (!parent.#own.get(delta.key)?.some((earlier) => clashes(earlier, delta))) continue
      throw new BatonError('INVALID_OPTION', {
        field: fieldOf(delta.key, delta.path),
        message: 'the node wrote it before, outside of a step; that write commits after this one and would undo it',
        hint: 'Write a place of the context in steps only, or outside of steps only.',
      })
    }
  }
}

/** Whether two changes of one key end differently in the other order. */
function clashes(one: Delta, other: Delta): boolean {
  const relation = relate(one.path ?? [], other.path ?? [])
  if (relation === 'apart') return false
  const isCommutative = one.op === other.op && (one.op === 'increment' || one.op === 'append')
  return relation !== 'same' || !isCommutative
}
