/** Where the ports are: URLs, and the variables that they come from. */
import type { Values } from './environment.ts'
import { mistake } from './mistake.ts'

/** Where a port is, and from which variable we know. */
export interface Address {
  readonly field: string
  readonly url: string
}

export const URL_EXAMPLE = 'file:./data'
const DEFAULT_STORE = 'file:.baton'

/** The addresses that the environment names. The queue is the store's own unless it has one of its own. */
export function addressesOf(values: Values): { readonly store: Address; readonly queue: Address } {
  const store: Address =
    values.BATON_STORE === undefined && values.BATON_REDIS_URL !== undefined
      ? { field: 'BATON_REDIS_URL', url: values.BATON_REDIS_URL }
      : { field: 'BATON_STORE', url: values.BATON_STORE ?? DEFAULT_STORE }
  const queue = values.BATON_QUEUE === undefined ? store : { field: 'BATON_QUEUE', url: values.BATON_QUEUE }
  return { store, queue }
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

export function isUrl(text: string): boolean {
  return SCHEME.test(text)
}

/** The part before the colon. */
export function schemeOf({ field, url }: Address): string {
  const scheme = SCHEME.exec(url)?.[1]
  if (scheme !== undefined) return scheme.toLowerCase()
  throw mistake(field, `must be a URL such as ${URL_EXAMPLE}, not ${JSON.stringify(url)}`)
}
