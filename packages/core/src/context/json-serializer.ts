/**
 * JSON plus what JavaScript programs hold: Date, Map, Set, bigint, bytes, errors, undefined inside arrays, NaN, the
 * infinities and -0. What JSON lacks becomes a tagged object, `{ "$baton": "date", "value": … }`; an object of the user
 * that has a member `$baton` itself is wrapped in a tag, so that it comes back as it was.
 *
 * Anything else is refused with the path to it: better a clear error at the node that returned it than a run that finds
 * half of an object on another machine. No class is ever revived from data. An error comes back as an `Error` with its
 * name, message, stack, cause and code; a Buffer as a Uint8Array; an object without prototype as an ordinary one.
 */
import { TAG } from '../model/delta.ts'
import { BatonError } from '../model/errors.ts'
import type { JsonObject, JsonValue } from '../model/json.ts'
import type { ISerializer } from '../ports/serializer.ts'

const MAX_DEPTH = 64

export class JsonSerializer implements ISerializer {
  encode(value: unknown, field: string): JsonValue {
    return isJsonPrimitive(value) ? value : new Walk(field, true).walk(value, 0)
  }

  decode(json: JsonValue): unknown {
    return typeof json === 'object' && json !== null ? decodeInner(json) : json
  }
}

/** Refuses what `JsonSerializer.encode` refuses, and makes no copy: for values that stay within the process. */
export function assertEncodable(value: unknown, field: string): void {
  if (!isJsonPrimitive(value)) new Walk(field, false).walk(value, 0)
}

function isJsonPrimitive(value: unknown): value is string | number | boolean | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    default:
      return value === null
  }
}

/**
 * One walk for encoding and for checking, so that the two cannot disagree. Where it only checks, it builds nothing and
 * its results mean nothing.
 */
class Walk {
  readonly #field: string
  readonly #build: boolean
  /** The way to the value at hand: what contains it, and under which name. Grows and shrinks by depth. */
  readonly #containers: object[] = []
  readonly #names: (string | number)[] = []

  constructor(field: string, build: boolean) {
    this.#field = field
    this.#build = build
  }

  walk(value: unknown, depth: number): JsonValue {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return isJsonPrimitive(value) ? value : this.#tag('number', Object.is(value, -0) ? '-0' : String(value))
      case 'bigint':
        return this.#tag('bigint', this.#build ? value.toString() : null)
      case 'undefined':
        return this.#build ? { [TAG]: 'undefined' } : null
      case 'object':
        return value === null ? null : this.#container(value, depth)
      default:
        throw this.#invalid(`a ${typeof value} cannot be kept`, depth)
    }
  }

  #container(value: object, depth: number): JsonValue {
    if (depth >= MAX_DEPTH) throw this.#invalid(`nested deeper than ${MAX_DEPTH} levels`, depth)
    const containers = this.#containers
    for (let level = 0; level < depth; level++) {
      if (containers[level] === value) throw this.#invalid('contains itself', depth)
    }
    containers[depth] = value

    const prototype: unknown = Object.getPrototypeOf(value)
    if (isObjectPrototype(prototype)) return this.#object(value as Record<string, unknown>, depth)
    if (prototype === Array.prototype) return this.#items(value as unknown[], depth)
    if (prototype === Date.prototype) return this.#date(value as Date, depth)
    if (prototype === Map.prototype) return this.#map(value as Map<unknown, unknown>, depth)
    if (prototype === Set.prototype) return this.#tag('set', this.#items([...(value as Set<unknown>)], depth))
    if (value instanceof Uint8Array) return this.#tag('bytes', this.#build ? toBase64(value) : null)
    if (value instanceof Error) return this.#error(value, depth)
    throw this.#invalid(`an instance of ${classNameOf(prototype)} cannot be kept`, depth)
  }

  #object(object: Record<string, unknown>, depth: number): JsonValue {
    const copy: Record<string, JsonValue> | undefined = this.#build ? {} : undefined
    for (const name of Object.keys(object)) {
      this.#names[depth] = name
      if (name === '__proto__') {
        const message = 'a member of this name cannot be kept'
        throw new BatonError('FORBIDDEN_KEY', { field: this.#path(depth + 1), message })
      }
      const value = object[name]
      if (value === undefined) continue
      const encoded = isJsonPrimitive(value) ? value : this.walk(value, depth + 1)
      if (copy !== undefined) copy[name] = encoded
    }
    if (copy === undefined) return null
    return Object.hasOwn(copy, TAG) ? this.#tag('object', copy) : copy
  }

  #items(items: readonly unknown[], depth: number): JsonValue {
    const copy: JsonValue[] | undefined = this.#build ? [] : undefined
    for (let index = 0; index < items.length; index++) {
      const value = items[index]
      this.#names[depth] = index
      const encoded = isJsonPrimitive(value) ? value : this.walk(value, depth + 1)
      if (copy !== undefined) copy.push(encoded)
    }
    return copy ?? null
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): JsonValue {
    const pairs: JsonValue[] = []
    let index = 0
    for (const [key, value] of map) {
      this.#names[depth] = `${index}.key`
      const encodedKey = this.walk(key, depth + 1)
      this.#names[depth] = `${index}.value`
      const encodedValue = this.walk(value, depth + 1)
      if (this.#build) pairs.push([encodedKey, encodedValue])
      index += 1
    }
    return this.#tag('map', pairs)
  }

  #date(date: Date, depth: number): JsonValue {
    if (Number.isNaN(date.getTime())) throw this.#invalid('an invalid Date cannot be kept', depth)
    return this.#tag('date', this.#build ? date.toISOString() : null)
  }

  #error(error: Error & { readonly code?: unknown }, depth: number): JsonValue {
    const { name, message, stack, code, cause } = error
    this.#names[depth] = 'cause'
    const encodedCause = cause === undefined ? undefined : this.walk(cause, depth + 1)
    return this.#tag('error', {
      name: typeof name === 'string' ? name : 'Error',
      message: String(message),
      ...(typeof stack === 'string' ? { stack } : {}),
      ...(typeof code === 'string' || Number.isFinite(code) ? { code: code as string | number } : {}),
      ...(encodedCause === undefined ? {} : { cause: encodedCause }),
    })
  }

  #tag(tag: string, value: JsonValue): JsonValue {
    return this.#build ? { [TAG]: tag, value } : null
  }

  #invalid(message: string, depth: number): BatonError {
    return new BatonError('INVALID_VALUE', { field: this.#path(depth), message })
  }

  #path(depth: number): string {
    let path = this.#field
    for (let level = 0; level < depth; level++) {
      const name = this.#names[level] as string | number
      const container = this.#containers[level]
      // Entries of a map have no names of their own: `[0].key` and `[0].value` say which one is meant.
      if (container instanceof Map) path += `[${String(name).replace('.', '].')}`
      else if (typeof name === 'number') path += `[${name}]`
      else path += IDENTIFIER.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
    }
    return path
  }
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

function isObjectPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  // Objects of another realm (a vm context, a test runner) have an Object.prototype of their own.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, '__lookupGetter__')
}

function classNameOf(prototype: unknown): string {
  const made = (prototype as { readonly constructor?: unknown }).constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'a class'
}

function decodeInner(json: JsonValue): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(decodeInner)
  const object = json as JsonObject
  return Object.hasOwn(object, TAG) ? decodeTagged(object) : decodeMembers(object)
}

function decodeMembers(object: JsonObject): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(object)) {
    const value = decodeInner(object[name] as JsonValue)
    // No encode gives it, but a journal may come from elsewhere; assigning it would change the prototype.
    if (name === '__proto__') Object.defineProperty(copy, name, { ...OWN, enumerable: true, value })
    else copy[name] = value
  }
  return copy
}

function decodeTagged({ [TAG]: tag, value }: JsonObject): unknown {
  switch (tag) {
    case 'undefined':
      return undefined
    case 'object':
      if (isObject(value)) return decodeMembers(value)
      break
    case 'number':
      if (typeof value === 'string' && NUMBERS.has(value)) return NUMBERS.get(value)
      break
    case 'bigint':
      if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value)
      break
    case 'date': {
      const date = new Date(typeof value === 'string' ? value : Number.NaN)
      if (!Number.isNaN(date.getTime())) return date
      break
    }
    case 'bytes':
      if (typeof value === 'string' && value.length % 4 === 0 && BASE64.test(value)) return fromBase64(value)
      break
    case 'set':
      if (Array.isArray(value)) return new Set(value.map(decodeInner))
      break
    case 'map':
      if (Array.isArray(value) && value.every(isPair))
        return new Map(value.map(([k, v]) => [decodeInner(k), decodeInner(v)]))
      break
    case 'error':
      if (isObject(value)) return decodeError(value)
      break
  }
  const message = `no value can be made of the tag ${JSON.stringify(tag)} and what it holds`
  throw new BatonError('INVALID_VALUE', { message, hint: 'It was kept by a newer version, or by another serializer.' })
}

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const OWN = { writable: true, configurable: true }

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPair(value: JsonValue): value is [JsonValue, JsonValue] {
  return Array.isArray(value) && value.length === 2
}

function decodeError({ name, message, stack, code, cause }: JsonObject): Error {
  const error = new Error(String(message))
  // As on errors that were thrown here: there, but not among what a loop over the members finds.
  if (name !== 'Error') Object.defineProperty(error, 'name', { ...OWN, value: String(name) })
  Object.defineProperty(error, 'stack', { ...OWN, value: typeof stack === 'string' ? stack : `${name}: ${message}` })
  if (cause !== undefined) Object.defineProperty(error, 'cause', { ...OWN, value: decodeInner(cause) })
  if (code !== undefined) Object.defineProperty(error, 'code', { ...OWN, enumerable: true, value: code })
  return error
}

// `btoa` is everywhere, `Buffer` is not. It wants one character per byte, and a call takes only so many arguments.
const CHUNK = 0x2000

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[])
  }
  return btoa(binary)
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}
