/**
 * Deltas: what a commit changes in the context, and nothing that it leaves alone.
 *
 * A delta names a key and, for a nested change, the path inside its value. Missing objects on the way are made. Arrays
 * are walked by index (`'0'`, `'1'` …); one past the end adds an item, further out is a conflict, since an array has no
 * holes. Deleting an item leaves null in its place: other branches hold indexes too, and theirs must not shift. A
 * tagged value (an object with the member `$baton`, e.g. an encoded Date) is one value, and no path leads into it.
 */
import { BatonError, unreachable } from './errors.ts'
import { isJsonObject, isPlainObject, type JsonArray, type JsonObject, type JsonValue } from './json.ts'

/** Members and indexes that lead from a key's value to the place that changes. */
export type DeltaPath = readonly string[]

interface DeltaTarget {
  readonly key: string
  readonly path?: DeltaPath
}

/** One recorded change of the context. `increment`, `append` and `merge` commute: parallel branches lose nothing. */
export type Delta =
  | (DeltaTarget & { readonly op: 'set'; readonly value: JsonValue; readonly ifVersion?: number })
  | (DeltaTarget & { readonly op: 'delete' })
  | (DeltaTarget & { readonly op: 'increment'; readonly by: number })
  | (DeltaTarget & { readonly op: 'append'; readonly values: readonly JsonValue[] })
  | (DeltaTarget & { readonly op: 'merge'; readonly value: JsonObject })

/** A context key's value; the version grows by one with every commit that changes the key. */
export interface ContextEntry {
  readonly value: JsonValue
  readonly version: number
}

/** The member that makes an encoded object one value. No key or path may name it. */
export const TAG = '$baton'

const NO_PATH: DeltaPath = []
const INDEX = /^(?:0|[1-9]\d{0,9})$/

/**
 * The value of the delta's key after it. Shares with the value before whatever did not change; changes neither.
 *
 * Whoever applies many deltas in a row may pass the same `own` set to all calls: it collects the objects that these
 * calls have made, which nobody else has seen yet and which may therefore change in place. Ten thousand members set one
 * by one would otherwise copy their object ten thousand times.
 */
export function applyDelta(
  entry: JsonValue | undefined,
  delta: Delta,
  own?: WeakSet<object> | undefined,
): JsonValue | undefined {
  return applyAt(entry, { delta, path: delta.path ?? NO_PATH, own }, 0)
}

interface Change {
  readonly delta: Delta
  readonly path: DeltaPath
  readonly own: WeakSet<object> | undefined
}

function applyAt(value: JsonValue | undefined, change: Change, depth: number): JsonValue | undefined {
  const { delta, path, own } = change
  const segment = path[depth]
  if (segment === undefined) return applyHere(value, delta, own)
  if (Array.isArray(value)) return applyInArray(value, segment, change, depth)
  if (value !== undefined && !isPlain(value)) throw misfit(delta, `no path leads into ${kindOf(value)}`, depth)

  const before = value !== undefined && Object.hasOwn(value, segment) ? value[segment] : undefined
  const after = applyAt(before, change, depth + 1)
  if (after === before) return value
  // In place. Only assigning to `__proto__` would do something else than it says.
  if (value !== undefined && own?.has(value) && segment !== '__proto__') {
    const object = value as Record<string, JsonValue>
    if (after === undefined) delete object[segment]
    else object[segment] = after
    return object
  }
  if (after === undefined) {
    const { [segment]: _gone, ...rest } = value as JsonObject
    return made(rest, own)
  }
  // A computed member of a literal is always an own property, whatever its name.
  return made({ ...value, [segment]: after }, own)
}

function applyInArray(items: JsonArray, segment: string, change: Change, depth: number): JsonArray {
  const { delta, own } = change
  const index = INDEX.test(segment) ? Number(segment) : Number.NaN
  if (delta.op === 'delete' && index >= items.length) return items
  if (!(index <= items.length)) {
    throw misfit(delta, `an array of ${items.length} has no place ${JSON.stringify(segment)}`, depth)
  }

  const before = items[index]
  const after = applyAt(before, change, depth + 1)
  if (after === before) return items
  const copy = (own?.has(items) ? items : made(items.slice(), own)) as JsonValue[]
  copy[index] = after ?? null
  return copy
}

function applyHere(
  value: JsonValue | undefined,
  delta: Delta,
  own: WeakSet<object> | undefined,
): JsonValue | undefined {
  switch (delta.op) {
    case 'set':
      return delta.value
    case 'delete':
      return undefined
    case 'increment': {
      if (value !== undefined && typeof value !== 'number') throw misfit(delta, `cannot increment ${kindOf(value)}`)
      const sum = (value ?? 0) + delta.by
      if (!Number.isFinite(sum)) throw misfit(delta, 'the sum is no finite number')
      return sum
    }
    case 'append': {
      if (value !== undefined && !Array.isArray(value)) throw misfit(delta, `cannot append to ${kindOf(value)}`)
      if (value === undefined || !own?.has(value)) return made((value ?? []).concat(delta.values), own)
      for (const item of delta.values) value.push(item)
      return value
    }
    case 'merge':
      if (value !== undefined && !isPlain(value)) throw misfit(delta, `cannot merge into ${kindOf(value)}`)
      if (value === undefined || !own?.has(value) || Object.hasOwn(delta.value, '__proto__')) {
        return made({ ...value, ...delta.value }, own)
      }
      return Object.assign(value, delta.value)
    default:
      return unreachable(delta)
  }
}

function made<Value extends object>(value: Value, own: WeakSet<object> | undefined): Value {
  own?.add(value)
  return value
}

/**
 * What one commit makes of the keys that it changes; undefined means that the key is gone. However many deltas name a
 * key, its version grows by one, and every `ifVersion` speaks of the version before the commit. Throws
 * `DELTA_CONFLICT` and has then changed nothing.
 */
export function applyDeltas(
  entries: ReadonlyMap<string, ContextEntry>,
  deltas: readonly Delta[],
): Map<string, ContextEntry | undefined> {
  const changed = new Map<string, ContextEntry | undefined>()
  const own = deltas.length > 1 ? new WeakSet() : undefined
  for (const delta of deltas) {
    const { key } = delta
    const stored = entries.get(key)
    const version = stored?.version ?? 0
    if (delta.op === 'set' && delta.ifVersion !== undefined && delta.ifVersion !== version) {
      throw misfit(delta, `expected version ${delta.ifVersion}, but it is ${version}`)
    }
    const value = applyDelta(changed.has(key) ? changed.get(key)?.value : stored?.value, delta, own)
    changed.set(key, value === undefined ? undefined : { value, version: version + 1 })
  }
  for (const [key, entry] of changed) {
    if (entry === undefined && !entries.has(key)) changed.delete(key)
  }
  return changed
}

/**
 * The same change in fewer deltas, grouped by key. Wherever the deltas as given apply, the composed ones give the same
 * value. A change that would have been refused, but that a later `set` or `delete` covers, is forgotten with it.
 */
export function composeDeltas(deltas: readonly Delta[]): Delta[] {
  if (deltas.length < 2) return [...deltas]
  const byKey = new Map<string, Delta[]>()
  const own = new WeakSet()
  for (const delta of deltas) {
    const earlier = byKey.get(delta.key)
    if (earlier === undefined) byKey.set(delta.key, [delta])
    else composeInto(earlier, delta, own)
  }
  return [...byKey.values()].flat()
}

/**
 * Looks backwards for a delta to melt into. Deltas of other places may be passed, those of places above or below only
 * when they are covered. A delta takes the earliest position of those that it covers, and never a later one: in
 * between, another delta may rely on an item or object that they made.
 */
function composeInto(list: Delta[], latest: Delta, own: WeakSet<object>): void {
  let delta = latest
  let position = -1
  for (let at = list.length - 1; at >= 0; at--) {
    const earlier = list[at] as Delta
    const relation = relate(earlier.path ?? NO_PATH, delta.path ?? NO_PATH)
    if (relation === 'apart') continue
    const guard = commonGuard(earlier, delta)
    if (guard === 'differs') break
    if (relation !== 'below') {
      const melted = melt(earlier, delta, guard, own)
      if (melted !== undefined) {
        list[at] = melted
        return
      }
    }
    if (relation === 'above' || !covers(delta, earlier)) break
    list.splice(at, 1)
    if (earlier.op !== 'delete') position = at
    else if (position > at) position -= 1
    delta = withGuard(delta, guard)
  }
  list.splice(position === -1 ? list.length : position, 0, delta)
}

/** Where the first path lies, seen from the second. */
export function relate(path: DeltaPath, other: DeltaPath): 'same' | 'above' | 'below' | 'apart' {
  const shared = Math.min(path.length, other.length)
  for (let at = 0; at < shared; at++) if (path[at] !== other[at]) return 'apart'
  if (path.length === other.length) return 'same'
  return path.length < other.length ? 'above' : 'below'
}

/** One delta for both, where there is one. `earlier` is at the same place or above. */
function melt(earlier: Delta, later: Delta, guard: number | undefined, own: WeakSet<object>): Delta | undefined {
  const { key, path = NO_PATH } = earlier
  if (earlier.op === 'set' || (earlier.op === 'delete' && path.length === 0)) {
    // The value is known, so the later change can be made in it right away.
    const inside = later.path?.slice(path.length) ?? NO_PATH
    const value = tryApply(earlier.op === 'set' ? earlier.value : undefined, { ...later, path: inside }, own)
    if (value === REFUSED) return undefined
    if (value !== undefined) return withGuard({ op: 'set', key, ...(path.length > 0 ? { path } : {}), value }, guard)
    // Below the root, a delete cannot stand for both: the set has made the objects on the way.
    return path.length === 0 && guard === undefined ? { op: 'delete', key } : undefined
  }
  if (path.length !== (later.path?.length ?? 0)) return undefined
  if (earlier.op === 'increment' && later.op === 'increment') {
    const by = earlier.by + later.by
    return Number.isFinite(by) ? { ...earlier, by } : undefined
  }
  if (earlier.op === 'append' && later.op === 'append') {
    return { ...earlier, values: applyHere(earlier.values, later, own) as JsonArray }
  }
  if (earlier.op === 'merge' && later.op === 'merge') {
    return { ...earlier, value: applyHere(earlier.value, later, own) as JsonObject }
  }
  return undefined
}

/** Whether nothing is left of the earlier delta, at the same place or below, once the later one is applied. */
function covers(later: Delta, earlier: Delta): boolean {
  if (later.op === 'set') return true
  if (later.op !== 'delete') return false
  if ((later.path?.length ?? 0) > 0) return earlier.op === 'delete'
  return guardOf(earlier) === undefined
}

const REFUSED = Symbol('refused')

function tryApply(value: JsonValue | undefined, delta: Delta, own: WeakSet<object>) {
  try {
    return applyDelta(value, delta, own)
  } catch (error) {
    // Left as it is: the commit refuses it, with the path in the error.
    if (BatonError.is(error, 'DELTA_CONFLICT')) return REFUSED
    throw error
  }
}

function guardOf(delta: Delta): number | undefined {
  return delta.op === 'set' ? delta.ifVersion : undefined
}

function commonGuard(earlier: Delta, later: Delta): number | undefined | 'differs' {
  const [first, second] = [guardOf(earlier), guardOf(later)]
  return first === undefined || second === undefined || first === second ? (first ?? second) : 'differs'
}

function withGuard(delta: Delta, guard: number | undefined): Delta {
  return delta.op === 'set' && guard !== undefined ? { ...delta, ifVersion: guard } : delta
}

/** Values of runs that live in memory alone are not encoded, and a path leads into their Dates and Maps no more than elsewhere. */
function isPlain(value: JsonValue): value is JsonObject {
  return isJsonObject(value) && !Object.hasOwn(value, TAG) && isPlainObject(value)
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (!isJsonObject(value)) return `a ${typeof value}`
  if (Object.hasOwn(value, TAG)) return `a value tagged ${JSON.stringify(value[TAG])}`
  return isPlainObject(value) ? 'an object' : 'an instance of a class'
}

function misfit(delta: Delta, message: string, depth = delta.path?.length ?? 0): BatonError {
  const field = ['context', delta.key, ...(delta.path ?? NO_PATH).slice(0, depth)].join('.')
  return new BatonError('DELTA_CONFLICT', { field, message: `${delta.op}: ${message}` })
}

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', TAG])
// Lone surrogates too: they do not survive UTF-8, so that two keys could become one.
const UNUSABLE = /[\p{Cc}\p{Cs}]/u
const MAX_KEY = 512
const MAX_PATH = 64

/** Refuses what cannot be a context key or a member of a path, with `FORBIDDEN_KEY` or `INVALID_ID`. */
export function checkKey(key: unknown, field: string): asserts key is string {
  if (typeof key !== 'string') throw unusable(field, `a key is a text, not ${key === null ? 'null' : typeof key}`)
  if (FORBIDDEN.has(key)) throw new BatonError('FORBIDDEN_KEY', { field, message: `the key ${key} is reserved` })
  if (key.length === 0) throw unusable(field, 'a key has at least one character')
  if (key.length > MAX_KEY) throw unusable(field, `a key has at most ${MAX_KEY} characters, this one ${key.length}`)
  if (UNUSABLE.test(key)) throw unusable(field, `not a usable key: ${JSON.stringify(key)}`)
}

export function checkPath(path: unknown, field: string): asserts path is DeltaPath {
  if (!Array.isArray(path)) throw unusable(field, 'a path is an array of texts')
  if (path.length > MAX_PATH) throw unusable(field, `a path has at most ${MAX_PATH} members, this one ${path.length}`)
  for (const [index, segment] of path.entries()) checkKey(segment, `${field}[${index}]`)
}

function unusable(field: string, message: string): BatonError {
  return new BatonError('INVALID_ID', { field, message, hint: `Use 1 to ${MAX_KEY} printable characters.` })
}
