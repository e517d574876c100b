import { BatonError } from '../model/errors.ts'

/** A node returns nothing or `{ output?, action? }`; anything else is a slip that would silently lose a result. */
export function checkReturn(returned: unknown): { readonly output?: unknown; readonly action?: string } {
  if (returned === undefined) return {}
  if (typeof returned !== 'object' || returned === null) throw wrongReturn(typeof returned)
  for (const member in returned) if (member !== 'output' && member !== 'action') throw wrongReturn(`a member ${member}`)
  const { action } = returned as { action?: unknown }
  if (action !== undefined && typeof action !== 'string') throw wrongReturn(`an action of type ${typeof action}`)
  return returned as { output?: unknown; action?: string }
}

function wrongReturn(what: string): BatonError {
  const hint = 'A node returns nothing or `{ output, action }`; both are optional.'
  return new BatonError('INVALID_VALUE', { field: 'return', message: `the node returned ${what}`, hint })
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
