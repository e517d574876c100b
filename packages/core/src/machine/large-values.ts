/**
 * Takes large values out of a command before it becomes a line, and puts them back when the line is read. So a commit
 * writes what changed, and a line stays one that a person can read.
 *
 * Only what users handed in is looked at, as a whole: an input, an output, the value of a context key. What the engine
 * adds is small, or at most as large as the graph.
 */
import { byteLength, type JsonValue } from '../model/json.ts'
import type { Command } from './command.ts'

/** Where a value was taken out of a command; null stands in its place. */
export interface BlobPlace {
  /** The members that lead from the command to the value. */
  readonly path: readonly (string | number)[]
  readonly sha256: string
}

export interface Blob {
  readonly sha256: string
  readonly text: string
}

interface Slimmed {
  /** With null in the places of large values. */
  readonly command: Command
  readonly places: readonly BlobPlace[]
  readonly blobs: readonly Blob[]
}

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null

/** Members that hold a value of the user, and those that hold such values by key. */
const VALUES = new Set(['input', 'output', 'value', 'values', 'items', 'result', 'payload', 'request'])
const VALUES_BY_KEY = new Set(['context'])

/**
 * @param text the command's JSON, when it is longer than a line should be
 * @param sha256 the digest of a text, as hexadecimal digits
 */
export function slim(text: string, maxBytes: number, sha256: (text: string) => string): Slimmed {
  const command = JSON.parse(text) as Json
  const places: BlobPlace[] = []
  const blobs: Blob[] = []

  const takeOut = (holder: { [member: string]: Json }, member: string, path: BlobPlace['path']) => {
    const value = holder[member]
    if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean') return
    const json = JSON.stringify(value)
    // A character has three bytes at most.
    if (json.length * 3 <= maxBytes || byteLength(value) <= maxBytes) return
    const digest = sha256(json)
    holder[member] = null
    places.push({ path, sha256: digest })
    blobs.push({ sha256: digest, text: json })
  }
  const walk = (holder: Json, path: BlobPlace['path']) => {
    if (typeof holder !== 'object' || holder === null) return
    if (Array.isArray(holder)) {
      for (const [index, item] of holder.entries()) walk(item, [...path, index])
      return
    }
    for (const [member, value] of Object.entries(holder)) {
      const inside = [...path, member]
      if (VALUES.has(member)) takeOut(holder, member, inside)
      else if (VALUES_BY_KEY.has(member) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
        for (const key of Object.keys(value)) takeOut(value, key, [...inside, key])
      } else walk(value, inside)
    }
  }
  // The outermost members name the command and not a value: a claim has its `request` there.
  if (typeof command === 'object' && command !== null && !Array.isArray(command)) {
    for (const [member, value] of Object.entries(command)) walk(value, [member])
  }
  return { command: command as unknown as Command, places, blobs }
}

/** Puts the values back, in place. */
export function fatten(command: object, places: readonly BlobPlace[], read: (sha256: string) => JsonValue): void {
  for (const { path, sha256 } of places) {
    let holder = command as { [member: string | number]: unknown }
    for (const step of path.slice(0, -1)) holder = holder[step] as typeof holder
    const last = path.at(-1) ?? ''
    // Not an assignment, which a key called `__proto__` would turn into something else.
    Object.defineProperty(holder, last, { value: read(sha256), configurable: true, enumerable: true, writable: true })
  }
}
