/** What a disk or a crash can do to a file, one thing at a time. */
import { writeFileSync } from 'node:fs'

/** A file that was hurt: its new content, and what was done to it, for messages. */
export interface Hurt {
  readonly bytes: Buffer
  readonly how: string
  /** Where: the first byte that is not as it was. */
  readonly atByte: number
}

/** Cut off before every byte. */
export function* cuts(whole: Buffer): Generator<Hurt> {
  for (let atByte = whole.length - 1; atByte >= 0; atByte--) {
    yield { bytes: whole.subarray(0, atByte), how: `cut at byte ${atByte}`, atByte }
  }
}

/** One bit flipped, of every byte in turn: another bit each time, or all eight of each. */
export function* flips(whole: Buffer, bits: readonly number[] = [0]): Generator<Hurt> {
  for (let atByte = 0; atByte < whole.length; atByte++) {
    for (const turn of bits) {
      const bit = (atByte + turn) % 8
      const bytes = Buffer.from(whole)
      bytes[atByte] = (bytes[atByte] ?? 0) ^ (1 << bit)
      yield { bytes, how: `bit ${bit} of byte ${atByte} flipped`, atByte }
    }
  }
}

/** Tries something on a file hurt in each of these ways, in its place. @returns how many there were */
export async function onEach(
  path: string,
  hurts: Iterable<Hurt>,
  attempt: (hurt: Hurt) => Promise<void> | void,
): Promise<number> {
  let count = 0
  for (const hurt of hurts) {
    writeFileSync(path, hurt.bytes)
    await naming(path, hurt, () => attempt(hurt))
    count += 1
  }
  return count
}

/** Says of a failure what had been done. */
export async function naming(path: string, { how }: Hurt, attempt: () => Promise<void> | void): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    throw new Error(`${path}, ${how}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

export const ALL_BITS = [0, 1, 2, 3, 4, 5, 6, 7]

/** For `describe.each`. */
export const ways: readonly { readonly what: string; readonly hurts: (whole: Buffer) => Iterable<Hurt> }[] = [
  { what: 'cut', hurts: cuts },
  { what: 'with any bit flipped', hurts: (whole) => flips(whole, ALL_BITS) },
]
