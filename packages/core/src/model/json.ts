/**
 * JSON as a type, and the few questions we ask of it. Everything a store keeps is a `JsonValue`; a serializer
 * (`ports/serializer.ts`) turns what node code hands us into one.
 */

export type JsonPrimitive = string | number | boolean | null
export type JsonArray = readonly JsonValue[]
export type JsonObject = { readonly [key: string]: JsonValue }
export type JsonValue = JsonPrimitive | JsonArray | JsonObject

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Made by a literal or `JSON.parse`, here or in another realm; not an array, and of no class. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Equal as JSON: key order does not count, array order does. */
export function deepEqual(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => deepEqual(item, right[index]))
  }
  const leftObject = left as JsonObject
  const rightObject = right as JsonObject
  const keys = Object.keys(leftObject)
  if (keys.length !== Object.keys(rightObject).length) return false
  return keys.every((key) => Object.hasOwn(rightObject, key) && deepEqual(leftObject[key], rightObject[key]))
}

/** The same text for equal values, whatever their key order: what digests are made of. */
export function canonicalText(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  const object = value as JsonObject
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(object[key] as JsonValue)}`)
  return `{${members.join(',')}}`
}

/** Bytes of the value's JSON text in UTF-8: what size limits count. */
export function byteLength(value: JsonValue): number {
  return textLength(JSON.stringify(value))
}

/** Bytes of a text in UTF-8. */
export function textLength(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit >= 0xd800 && unit <= 0xdbff) {
      // A surrogate pair is two units and four bytes.
      bytes += 2
      index += 1
    } else bytes += 2
  }
  return bytes
}
