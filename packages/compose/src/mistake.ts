/** What a person got wrong, said so that they can put it right. */
import { BatonError } from '@baton/core'
import { messageOf } from '@baton/core/adapter'

/** @param field the variable, the option or the argument that it is about */
export function mistake(field: string, message: string, hint?: string): BatonError {
  return new BatonError('INVALID_OPTION', { field, message, ...(hint === undefined ? {} : { hint }) })
}

/** The mistake in one line: what, then what to do about it. */
export function describeMistake(error: unknown): string {
  if (!BatonError.is(error)) return messageOf(error)
  return `${error.code} ${error.message}. ${error.hint}`.replace(/\s*\n\s*/g, ' ')
}
