import { BatonError } from '@baton/core'

/** A client of the SDK, not by its class, of which there may be two copies. */
export function isClient<Client extends { send(...args: never): unknown }>(given: Client | object): given is Client {
  return 'send' in given && typeof given.send === 'function'
}

/**
 * A client, or what one is made with. Absent is fine.
 *
 * @param field the option that it was given as
 */
export function checkClient(given: unknown, field = 'client'): void {
  if (given === undefined || (typeof given === 'object' && given !== null)) return
  const message = `must be a client of the AWS SDK or the configuration of one, not ${typeof given}`
  throw new BatonError('INVALID_OPTION', { field, message, hint: 'For example { region: "eu-west-1" }.' })
}
