/**
 * Readers: unknown data in, a checked and frozen copy out, or `INVALID_BLUEPRINT` with the place and what to do.
 *
 * A reader looks at own members only and reads each once. A member that is undefined counts as absent, so that an
 * object made by hand and the same one out of `JSON.parse` get the same answer.
 */
import { checkKey } from './delta.ts'
import { BatonError } from './errors.ts'
import { isPlainObject, type JsonObject, type JsonValue } from './json.ts'
import { nearestName } from './nearest.ts'

export type Reader<Value> = (data: unknown, field: string) => Value

export function mistake(field: string, message: string, hint: string): BatonError {
  return new BatonError('INVALID_BLUEPRINT', { field, message, hint })
}

/** Which reader reads which member. */
export type Shape<Value> = { readonly [Member in keyof Value]-?: Reader<Exclude<Value[Member], undefined>> }

/** An object of exactly these members. Unknown ones are refused: a misspelt policy must not be silently no policy. */
export function object<Value extends object>(
  shape: Shape<Value>,
  required: readonly (keyof Value & string)[] = [],
): Reader<Value> {
  const readers = new Map<string, Reader<unknown>>(Object.entries(shape))
  return (data, field) => {
    const copy: Record<string, unknown> = {}
    for (const [member, value] of membersOf(data, field)) {
      const read = readers.get(member)
      if (read === undefined) throw unknownMember(join(field, member), member, [...readers.keys()])
      copy[member] = read(value, join(field, member))
    }
    for (const member of required) {
      if (!Object.hasOwn(copy, member)) throw mistake(join(field, member), 'is missing', 'Give it a value.')
    }
    return Object.freeze(copy) as Value
  }
}

function unknownMember(field: string, member: string, known: readonly string[]): BatonError {
  const nearest = nearestName(member, known)
  const hint = `${nearest === undefined ? '' : `Did you mean \`${nearest}\`? `}Known members: ${known.join(', ')}.`
  return mistake(field, 'no such member', hint)
}

/** An object with members of any name, each read by the same reader. */
export function record<Value>(read: Reader<Value>): Reader<{ readonly [member: string]: Value }> {
  return (data, field) => {
    const copy: { [member: string]: Value } = {}
    for (const [member, value] of membersOf(data, field)) copy[member] = read(value, join(field, member))
    return Object.freeze(copy)
  }
}

export function list<Value>(read: Reader<Value>, options: { readonly most?: number } = {}): Reader<readonly Value[]> {
  const { most = 10_000 } = options
  return (data, field) => {
    if (!Array.isArray(data))
      throw mistake(field, `must be a list, not ${kindOf(data)}`, 'Write it in square brackets.')
    if (data.length > most)
      throw mistake(field, `has ${data.length} items`, `At most ${most} are possible; split it up.`)
    return Object.freeze(Array.from(data, (item: unknown, index) => read(item, `${field}[${index}]`)))
  }
}

/** Texts that name something. Lone surrogates do not survive UTF-8: two names could become one. */
export function text({ most }: { readonly most: number }): Reader<string> {
  const hint = `Use a text of 1 to ${most} printable characters.`
  return (data, field) => {
    if (typeof data !== 'string') throw mistake(field, `must be a text, not ${kindOf(data)}`, hint)
    if (data.length === 0 || data.length > most) throw mistake(field, `has ${data.length} characters`, hint)
    if (/[\p{Cc}\p{Cs}]/u.test(data)) throw mistake(field, `has a control character: ${JSON.stringify(data)}`, hint)
    return data
  }
}

export const prose: Reader<string> = (data, field) => {
  if (typeof data !== 'string') throw mistake(field, `must be a text, not ${kindOf(data)}`, 'Write it in quotes.')
  return data
}

export const flag: Reader<boolean> = (data, field) => {
  if (typeof data !== 'boolean')
    throw mistake(field, `must be true or false, not ${kindOf(data)}`, 'Use true or false.')
  return data
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Reader<Choice> {
  return (data, field) => {
    const found = choices.find((choice) => choice === data)
    if (found !== undefined) return found
    const shown = typeof data === 'string' ? JSON.stringify(data) : kindOf(data)
    throw mistake(field, `must not be ${shown}`, `Use one of ${choices.map((choice) => `'${choice}'`).join(', ')}.`)
  }
}

export function number({ least, most = Number.MAX_SAFE_INTEGER }: Range): Reader<number> {
  return (data, field) => {
    if (typeof data === 'number' && data >= least && data <= most) return data
    throw mistake(field, `must not be ${shownNumber(data)}`, `Use a number from ${least} to ${most}.`)
  }
}

export function integer({ least, most = Number.MAX_SAFE_INTEGER }: Range): Reader<number> {
  return (data, field) => {
    if (Number.isInteger(data) && (data as number) >= least && (data as number) <= most) return data as number
    throw mistake(field, `must not be ${shownNumber(data)}`, `Use a whole number from ${least} to ${most}.`)
  }
}

interface Range {
  readonly least: number
  readonly most?: number
}

/** The name of a context key, or of a member on a path into a value. */
export const key: Reader<string> = (data, field) => {
  try {
    checkKey(data, field)
    return data
  } catch (error) {
    if (!BatonError.is(error, 'INVALID_ID')) throw error
    throw mistake(
      field,
      `not a usable key: ${typeof data === 'string' ? JSON.stringify(data) : kindOf(data)}`,
      error.hint,
    )
  }
}

const MAX_DEPTH = 64
/** Of one value. An object can hold another one twice, so that few objects stand for more JSON than fits anywhere. */
const MOST_PARTS = 100_000

/** Any JSON. What JSON cannot hold is refused rather than dropped. */
export const json: Reader<JsonValue> = (data, field) => copyJson(data, field, 0, { parts: 0 })

export const jsonObject: Reader<JsonObject> = (data, field) => {
  membersOf(data, field)
  return json(data, field) as JsonObject
}

function copyJson(data: unknown, field: string, depth: number, size: { parts: number }): JsonValue {
  if (data === null || typeof data === 'string' || typeof data === 'boolean') return data
  // Minus zero has no JSON of its own.
  if (typeof data === 'number' && Number.isFinite(data)) return data === 0 ? 0 : data
  if (typeof data !== 'object')
    throw mistake(field, `cannot be ${shownNumber(data)}`, 'Keep to JSON; name functions by `uses`.')
  if (depth === MAX_DEPTH)
    throw mistake(field, `is nested deeper than ${MAX_DEPTH} levels`, 'Make it flatter. Is it a cycle?')
  size.parts += 1
  if (size.parts > MOST_PARTS)
    throw mistake(field, 'is one part too many', `A value has at most ${MOST_PARTS} objects and lists.`)
  if (Array.isArray(data)) {
    return Object.freeze(
      Array.from(data, (item: unknown, index) => copyJson(item, `${field}[${index}]`, depth + 1, size)),
    )
  }
  const copy: { [member: string]: JsonValue } = {}
  for (const [member, value] of membersOf(data, field)) {
    copy[member] = copyJson(value, join(field, member), depth + 1, size)
  }
  return Object.freeze(copy)
}

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The own members that have a value. Class instances are refused: a copy of them would not be one. */
function membersOf(data: unknown, field: string): readonly (readonly [string, unknown])[] {
  if (!isPlainObject(data))
    throw mistake(
      field === '' ? 'blueprint' : field,
      `must be a plain object, not ${kindOf(data)}`,
      'Write it in braces.',
    )
  const members = Object.entries(data).filter(([, value]) => value !== undefined)
  for (const [member] of members) {
    if (!FORBIDDEN.has(member)) continue
    throw new BatonError('FORBIDDEN_KEY', { field: join(field, member), message: `the key ${member} is reserved` })
  }
  return members
}

/** The whole blueprint has no name of its own: its members stand alone. */
function join(field: string, member: string): string {
  return field === '' ? member : `${field}.${member}`
}

function shownNumber(data: unknown): string {
  return typeof data === 'number' ? String(data) : kindOf(data)
}

function kindOf(data: unknown): string {
  if (data === undefined) return 'nothing'
  if (data === null) return 'null'
  if (Array.isArray(data)) return 'a list'
  if (typeof data === 'string') return 'a text'
  if (typeof data !== 'object') return `a ${typeof data}`
  return isPlainObject(data) ? 'an object' : 'an instance of a class'
}
