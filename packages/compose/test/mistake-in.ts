/** What tests say of a mistake in a variable, an option or a URL. */
import { expect } from 'vitest'

/** What was thrown, or what was given back. */
export function refusalOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error
  }
}

/** A mistake with a hint that tells what to do. */
export function mistakeIn(field: string, says: string) {
  const hint = expect.stringMatching(/^(Write|There are|Set|Give|Either) /)
  return { code: 'INVALID_OPTION', field, message: expect.stringContaining(says), hint }
}
