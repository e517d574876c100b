/**
 * The state that the nodes of a run share, key by key.
 *
 * Two kinds implement it. The context *handed to a node* records: its writers note a delta, and the deltas commit with
 * the node, or with the step that wrote them; when the attempt or the step fails they are dropped. The context *got
 * from a store* (`store.context(runId)`) is read-only: there is no way into a run but a commit, so its writers reject
 * with `INVALID_OPTION`.
 *
 * Reading. A key is read when it is asked for, and no other key with it: two small keys of a 10 MB context move two
 * small keys. In a node, what a read found stays so for the whole attempt, whatever other branches commit meanwhile,
 * and the node sees its own writes on top. A read gives a new copy each time; changing it changes nothing.
 *
 * Writing. Two parallel `set`s of one place: the later commit wins, and the journal shows both. Whoever minds uses
 * `increment`, `append` or `merge`, which lose nothing in whatever order they commit, or `set` with `ifVersion`. A
 * writer has noted its delta by the time it returns; the promise it returns rejects for bad keys and values, and with
 * `DELTA_CONFLICT` where the change cannot fit what the node has read. What the node has not read, the commit checks.
 *
 * Paths. `path` leads from the key's value to the place that changes, so that a small change of a large value travels
 * as a small delta: members of objects by name, items of arrays by index (`['items', '0', 'price']`). Objects that are
 * missing on the way are made. A path does not lead into a text, a number, or a Date, Map, Set and the like.
 *
 * Keys and members of a path have 1 to 512 characters, none of them a control character, and are not `__proto__`,
 * `constructor`, `prototype` or `$baton`.
 */
import type { ContextEntry, Delta, DeltaPath } from '../model/delta.ts'
import type { Awaitable } from './awaitable.ts'

export interface PathOptions {
  readonly path?: DeltaPath
}

export interface SetOptions extends PathOptions {
  /**
   * Commit only if the key still has this version, as `version(key)` told it; 0 means that the key must be absent.
   * Otherwise the attempt fails with `DELTA_CONFLICT`, which is retried while attempts are left.
   */
  readonly ifVersion?: number
}

export interface IAsyncContext {
  /** The key's value, or undefined when the run has no such key. */
  get<T = unknown>(key: string): Promise<T | undefined>

  /** Several keys as they were at one instant: one atomic read of those not read yet. Absent keys are left out. */
  getMany<T extends object = Record<string, unknown>>(keys: readonly (keyof T & string)[]): Promise<Partial<T>>

  /** Whether the run has the key. A key that holds null is there. */
  has(key: string): Promise<boolean>

  /**
   * How many commits have changed the key, for `ifVersion`. 0 when it is absent. A key that is deleted and made again
   * starts at 1 again, so do not delete keys that you guard with versions.
   */
  version(key: string): Promise<number>

  /** Puts the value there; undefined is the same as `delete`. At an array, the index may be one past the end, which adds an item. */
  set(key: string, value: unknown, options?: SetOptions): Promise<void>

  /** Removes the key or member; no error if it is absent. An array keeps its places: the item becomes null. */
  delete(key: string, options?: PathOptions): Promise<void>

  /** Adds to the number there; nothing there counts as 0. */
  increment(key: string, by: number, options?: PathOptions): Promise<void>

  /** Adds items at the end of the array there; nothing there counts as an empty one. */
  append(key: string, values: readonly unknown[], options?: PathOptions): Promise<void>

  /** Sets the members given and leaves the others (not deep); nothing there counts as an empty object. */
  merge(key: string, value: object, options?: PathOptions): Promise<void>

  /** Several writes, all or none. Their values are plain, as for `set`, and are encoded on the way. */
  patch(deltas: readonly Delta[]): Promise<void>

  /** All keys: one read of the whole context. For people and exports; a node is better off with the keys it needs. */
  toJSON(): Promise<Record<string, unknown>>
}

/**
 * Where a context reads from: one run in one store. Values are encoded. What it gives belongs to the store and is not
 * to be changed.
 */
export interface ContextSource {
  /** The entries of these keys as they are at one instant. Absent keys are absent from the map. */
  read(keys: readonly string[]): Awaitable<ReadonlyMap<string, ContextEntry>>

  /** All entries as they are at one instant. */
  readAll(): Awaitable<ReadonlyMap<string, ContextEntry>>
}
