/**
 * What AWS answers on bad days, as its pages document it: status, headers and body.
 * DynamoDB: developer guide, "Error handling with DynamoDB". SQS: API reference, "Common errors", and its JSON protocol.
 */
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface AwsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Of a service itself, or of what stands before all of them and knows who may ask. */
type Namespace = 'dynamodb.v20120810' | 'sqs' | 'coral'

function answer(namespace: Namespace, status: number, code: string, message: string, more: object = {}): AwsAnswer {
  const service = namespace === 'coral' ? 'com.amazon.coral.service' : `com.amazonaws.${namespace}`
  const body = JSON.stringify({ __type: `${service}#${code}`, message })
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': String(Buffer.byteLength(body)),
      date: new Date().toUTCString(),
      'x-amzn-requestid': randomUUID(),
      'x-amz-crc32': String(crc32(body)),
      ...more,
    },
    body,
  }
}

const TOKEN = 'The security token included in the request is'
const RATE = 'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling'

export const dynamoAnswers = {
  ThrottlingException: () => answer('dynamodb.v20120810', 400, 'ThrottlingException', RATE),
  ProvisionedThroughputExceededException: () =>
    answer(
      'dynamodb.v20120810',
      400,
      'ProvisionedThroughputExceededException',
      'The level of configured throughput was exceeded.',
    ),
  RequestLimitExceeded: () =>
    answer('dynamodb.v20120810', 400, 'RequestLimitExceeded', 'Throughput exceeds the current limit for your account.'),
  InternalServerError: () => answer('dynamodb.v20120810', 500, 'InternalServerError', 'Internal server error'),
  ServiceUnavailable: () => answer('coral', 503, 'ServiceUnavailable', 'Service is temporarily unavailable.'),
  ExpiredTokenException: () => answer('coral', 400, 'ExpiredTokenException', `${TOKEN} expired`),
  UnrecognizedClientException: () => answer('coral', 400, 'UnrecognizedClientException', `${TOKEN} invalid.`),
  InvalidSignatureException: () =>
    answer(
      'coral',
      400,
      'InvalidSignatureException',
      "Credential should be scoped to a valid region, not 'eu-west-1'. ",
    ),
  AccessDeniedException: () =>
    answer(
      'coral',
      400,
      'AccessDeniedException',
      'User: arn:aws:iam::123456789012:user/worker is not authorized to perform: dynamodb:UpdateItem on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/baton because no identity-based policy allows the dynamodb:UpdateItem action',
    ),
  ResourceNotFoundException: () =>
    answer('dynamodb.v20120810', 400, 'ResourceNotFoundException', 'Requested resource not found'),
} as const

export const sqsAnswers = {
  ThrottlingException: () => answer('coral', 400, 'ThrottlingException', 'Rate exceeded'),
  RequestThrottled: () => sqs(403, 'RequestThrottled', 'Request is throttled.'),
  InternalFailure: () => sqs(500, 'InternalFailure', 'We encountered an internal error. Please try again.'),
  ServiceUnavailable: () => answer('coral', 503, 'ServiceUnavailable', 'Service Unavailable'),
  ExpiredTokenException: () => answer('coral', 403, 'ExpiredTokenException', `${TOKEN} expired`),
  UnrecognizedClientException: () => answer('coral', 403, 'UnrecognizedClientException', `${TOKEN} invalid.`),
  AccessDeniedException: () =>
    answer(
      'coral',
      403,
      'AccessDeniedException',
      'User: arn:aws:iam::123456789012:user/worker is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:eu-west-1:123456789012:baton because no identity-based policy allows the sqs:receivemessage action',
      { 'x-amzn-query-error': 'AccessDenied;Sender' },
    ),
  QueueDoesNotExist: () =>
    answer('sqs', 400, 'QueueDoesNotExist', 'The specified queue does not exist.', {
      'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender',
    }),
} as const

function sqs(status: number, code: string, message: string): AwsAnswer {
  const fault = status < 500 ? 'Sender' : 'Receiver'
  return answer('sqs', status, code, message, { 'x-amzn-query-error': `${code};${fault}` })
}
