import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const NAMES = [
  'writeSync',
  'readSync',
  'fstatSync',
  'fdatasync',
  'fdatasyncSync',
  'fsync',
  'fsyncSync',
  'openSync',
  'linkSync',
  'renameSync',
  'unlinkSync',
] as const

/**
 * Counts the file system calls of whatever is imported afterwards. Node's own `fs` object is patched, and its named
 * exports follow it.
 */
export function countCalls(): { readonly of: ReadonlyMap<string, number>; reset(): void } {
  const counts = new Map<string, number>(NAMES.map((name) => [name, 0]))
  const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of NAMES) {
    const original = calls[name] as (...args: unknown[]) => unknown
    calls[name] = (...args) => {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return original(...args)
    }
  }
  syncBuiltinESMExports()
  const reset = () => {
    for (const name of NAMES) counts.set(name, 0)
  }
  return { of: counts, reset }
}
