/**
 * From a writer's arguments to a delta: keys and paths checked, values encoded, nothing shared with the caller. What is
 * wrong is refused here, at the call, with `context.<key>.<path>` as the field.
 */
import { checkKey, checkPath, type Delta, type DeltaPath } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import { isPlainObject, type JsonValue } from '../model/json.ts'
import type { PathOptions, SetOptions } from '../ports/async-context.ts'
import type { ISerializer } from '../ports/serializer.ts'

export function setDelta(serializer: ISerializer, key: string, value: unknown, options: SetOptions): Delta {
  const { path, ifVersion } = options
  const place = placeOf(key, path)
  if (ifVersion !== undefined && !(Number.isSafeInteger(ifVersion) && ifVersion >= 0)) {
    throw new BatonError('INVALID_OPTION', { field: 'ifVersion', message: 'a version is a whole number, 0 or more' })
  }
  if (value === undefined) {
    if (ifVersion === undefined) return { op: 'delete', ...place }
    throw invalid(fieldOf(key, path), 'undefined cannot be set under a version; use null')
  }
  // -0 would be kept as a tagged value, and a counter that was once rounded to it could not be incremented.
  const encoded = serializer.encode(value === 0 ? 0 : value, fieldOf(key, path))
  return { op: 'set', ...place, value: encoded, ...(ifVersion === undefined ? {} : { ifVersion }) }
}

export function deleteDelta(key: string, { path }: PathOptions): Delta {
  return { op: 'delete', ...placeOf(key, path) }
}

export function incrementDelta(key: string, by: number, { path }: PathOptions): Delta {
  const place = placeOf(key, path)
  if (!Number.isFinite(by)) throw invalid(fieldOf(key, path), 'increment takes a finite number')
  return { op: 'increment', ...place, by }
}

/** Items are encoded one by one: they join an array of encoded items. */
export function appendDelta(
  serializer: ISerializer,
  key: string,
  values: readonly unknown[],
  { path }: PathOptions,
): Delta {
  const place = placeOf(key, path)
  const field = fieldOf(key, path)
  if (!Array.isArray(values)) throw invalid(field, 'append takes an array of items')
  const items = Array.from(values, (item, index) => serializer.encode(item, `${field}[${index}]`))
  return { op: 'append', ...place, values: items }
}

/** Members are encoded one by one, and each must be one that a path could name. */
export function mergeDelta(serializer: ISerializer, key: string, value: object, { path }: PathOptions): Delta {
  const place = placeOf(key, path)
  const field = fieldOf(key, path)
  if (!isPlainObject(value)) throw invalid(field, 'merge takes a plain object')
  const members: [string, JsonValue][] = []
  for (const [member, item] of Object.entries(value)) {
    checkKey(member, field)
    if (item !== undefined) members.push([member, serializer.encode(item, `${field}.${member}`)])
  }
  return { op: 'merge', ...place, value: Object.fromEntries(members) }
}

/** A delta that somebody else made, from plain values: the same checks, and encoded like any other write. */
export function checkedDelta(serializer: ISerializer, delta: Delta): Delta {
  switch (delta.op) {
    case 'set':
      return setDelta(serializer, delta.key, delta.value, delta)
    case 'delete':
      return deleteDelta(delta.key, delta)
    case 'increment':
      return incrementDelta(delta.key, delta.by, delta)
    case 'append':
      return appendDelta(serializer, delta.key, delta.values, delta)
    case 'merge':
      return mergeDelta(serializer, delta.key, delta.value, delta)
    default: {
      const { op }: { readonly op?: unknown } = delta satisfies never
      throw new BatonError('INVALID_OPTION', { field: 'deltas', message: `there is no op ${JSON.stringify(op)}` })
    }
  }
}

export function fieldOf(key: string, path: DeltaPath = []): string {
  return ['context', key, ...path].join('.')
}

/** The path is copied, since the caller may go on with theirs; an empty one is none. */
function placeOf(key: string, path: DeltaPath | undefined): { readonly key: string; readonly path?: DeltaPath } {
  checkKey(key, 'context')
  if (path === undefined) return { key }
  checkPath(path, `context.${key}: path`)
  return path.length === 0 ? { key } : { key, path: [...path] }
}

function invalid(field: string, message: string): BatonError {
  return new BatonError('INVALID_VALUE', { field, message })
}
