/** What AWS and its clients say when they fail, in Baton's words. */
import { BatonError } from '@baton/core'
import { messageOf } from '@baton/core/adapter'

/** What a service was asked for, and how it is called where it fails. */
interface Service {
  readonly name: 'DynamoDB' | 'SQS'
  readonly outage: 'STORE_UNAVAILABLE' | 'QUEUE_UNAVAILABLE'
  /** The option that names the table or the queue. */
  readonly option: string
  readonly absent: string
}

const dynamo: Service = {
  name: 'DynamoDB',
  outage: 'STORE_UNAVAILABLE',
  option: 'table',
  absent:
    'There is no such table in this account and region. Create it with ensureInfrastructure() or the template, or see that region and name are right.',
}

const sqs: Service = {
  name: 'SQS',
  outage: 'QUEUE_UNAVAILABLE',
  option: 'queue',
  absent:
    'There is no such queue in this account and region. Create it with ensureInfrastructure() or the template, or see that region and name are right.',
}

interface Acquaintance {
  /** It has done what we asked before, so what it refuses now it may do again: a role changes, credentials are fetched anew. */
  readonly hasAnswered?: boolean
}

/**
 * A BatonError stays what it is. What is refused to who asks, and will be when asked again, becomes `INVALID_OPTION` with what
 * to do about it; a value that is too large becomes `TOO_LARGE`; everything else is an outage, `STORE_UNAVAILABLE`, after which nobody
 * knows whether what was asked took effect. Credentials that have expired are an outage too: they may come back. Of a service
 * that has answered before, so is whatever it refuses; then the outage has the field and the hint of the refusal.
 */
export function storeFailure(error: unknown, { hasAnswered = false }: Acquaintance = {}): BatonError {
  return failure(error, dynamo, hasAnswered)
}

/**
 * The same of what a queue was asked: an outage is `QUEUE_UNAVAILABLE`.
 *
 * @param option that names the queue
 */
export function queueFailure(
  error: unknown,
  { option = sqs.option, hasAnswered = false }: Acquaintance & { readonly option?: string } = {},
): BatonError {
  return failure(error, { ...sqs, option }, hasAnswered)
}

/** For a line of a log. */
export function failureFields(error: unknown): { readonly error: string; readonly hint?: string } {
  const { field, message, hint } = queueFailure(error)
  return { error: message, ...(field === undefined ? {} : { hint }) }
}

/**
 * What the service calls this error: `QueueDoesNotExist`, `ThrottlingException` … SQS has had other names for some, with a prefix, of which
 * the client puts one into the name and sometimes another one beside it.
 */
export function awsCodesOf(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return []
  const { name, Code, Error: inner } = error as { name?: unknown; Code?: unknown; Error?: { Code?: unknown } }
  const codes = [name, Code, inner?.Code].filter((code): code is string => typeof code === 'string' && code !== 'Error')
  return codes.map((code) => code.replace('AWS.SimpleQueueService.', ''))
}

function failure(error: unknown, service: Service, hasAnswered: boolean): BatonError {
  if (BatonError.is(error)) return error
  const message = `${service.name}: ${describe(error)}`
  const codes = awsCodesOf(error)
  const is = (known: readonly string[]) => codes.some((code) => known.includes(code))
  const invalid = (field: string, hint: string) =>
    new BatonError(hasAnswered ? service.outage : 'INVALID_OPTION', { field, message, hint, cause: error })
  if (is(ABSENT)) return invalid(service.option, service.absent)
  if (is(DENIED)) return invalid('client', `${service.name} knows who asks, and does not let them. ${GRANT}`)
  if (is(UNKNOWN_CALLER)) return invalid('client', CREDENTIALS)
  if (/^Region (is missing|not accepted)/.test(messageOf(error))) {
    return invalid('client', 'Give the client a region, or set AWS_REGION.')
  }
  if (is(UNKNOWN_ACTION)) {
    return invalid('client', `What answers is no ${service.name}. See that the endpoint is the right one.`)
  }
  if (codes.includes('ValidationException')) {
    const text = messageOf(error)
    if (/key element does not match the schema|Missing the key/.test(text)) return invalid(service.option, SCHEMA)
    if (/size has exceeded|size to update has exceeded|exceeds the maximum/i.test(text)) {
      return new BatonError('TOO_LARGE', { message, cause: error })
    }
  }
  return new BatonError(service.outage, { message, cause: error })
}

function describe(error: unknown): string {
  // Of a body that is no JSON the client tells the first character.
  if (error instanceof SyntaxError) {
    const { statusCode = '' } = (error as { readonly $response?: { readonly statusCode?: number } }).$response ?? {}
    return `what came back is no answer of this service (HTTP ${statusCode})`
  }
  const [code] = awsCodesOf(error)
  const message = messageOf(error)
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`
}

const ABSENT = [
  'QueueDoesNotExist',
  'NonExistentQueue',
  'InvalidAddress',
  'ResourceNotFoundException',
  'TableNotFoundException',
]

const DENIED = [
  'AccessDenied',
  'AccessDeniedException',
  'NotAuthorized',
  'OptInRequired',
  'KmsAccessDenied',
  'KMS.AccessDeniedException',
]

const UNKNOWN_CALLER = [
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
]

/** What DynamoDB says to who takes it for SQS, and the other way round. */
const UNKNOWN_ACTION = ['InvalidAction', 'UnknownOperationException', 'UnknownOperation']

const GRANT =
  'Give the role or user the actions that the policy templates/iam-policy.json of @baton/adapter-sqs-dynamo lists, on this resource and its key.'
const CREDENTIALS =
  'See that there are credentials, that they are of this account, and that region and endpoint are those they are meant for.'
const SCHEMA =
  'The table must have the keys pk (HASH) and sk (RANGE), both texts. Create it with ensureInfrastructure().'
