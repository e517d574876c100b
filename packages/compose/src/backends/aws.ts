/** What `dynamodb:` and `sqs:` URLs have in common: their packages, and what is said when AWS refuses. */
import { BatonError } from '@baton/core'
import type { Address } from '../addresses.ts'
import type { AwsPlace } from '../aws-url.ts'
import { loadAdapter } from '../missing-adapter.ts'
import { mistake } from '../mistake.ts'

const PACKAGES = ['@baton/adapter-sqs-dynamo', '@aws-sdk/client-dynamodb', '@aws-sdk/client-sqs']

export function loadAws(address: Address): Promise<typeof import('@baton/adapter-sqs-dynamo')> {
  return loadAdapter(address, PACKAGES, () => import('@baton/adapter-sqs-dynamo'))
}

/** As clients are told; what is absent they find themselves. */
export function clientOf({ region, endpoint }: AwsPlace): { readonly region?: string; readonly endpoint?: string } {
  return { ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) }
}

/**
 * The adapter speaks of its options; here they stand in a URL.
 *
 * @param what the table or the queue, in a sentence
 */
export function inWordsOfUrl(error: unknown, { field }: Address, place: AwsPlace, what: string): unknown {
  if (!BatonError.is(error)) return error
  const message = error.message.replace(/^[a-zA-Z]+: /, '')
  if (error.code === 'INVALID_OPTION') return mistake(field, `${what}: ${message}`, hintFor(error))
  const [said] = message.split('. ')
  return new BatonError(error.code, {
    field,
    message: `${what} cannot be asked ${whereOf(place)} (${said})`,
    hint: 'See that the network reaches it, and that region and endpoint are right; then start again.',
    cause: error,
  })
}

function whereOf({ region, endpoint }: AwsPlace): string {
  return endpoint !== undefined ? `at ${endpoint}` : region !== undefined ? `in ${region}` : 'in the usual region'
}

function hintFor({ hint }: BatonError): string {
  return hint
    .replace('Give the client a region', 'Add ?region=eu-west-1 to the URL')
    .replace(
      'Create it with ensureInfrastructure() or the template',
      'Create it from the template, or add ?create=true',
    )
    .replace('Create it with ensureInfrastructure()', 'Add ?create=true with another name')
}
