import { BatonError } from '@baton/core'
import { describe, expect, it } from 'vitest'
import { queueFailure, storeFailure } from '../src/aws-errors.ts'

function thrown(name: string, message = 'what AWS says', more: object = {}): Error {
  return Object.assign(new Error(message), { name }, more)
}

describe('what AWS says', () => {
  it.each([
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'RequestThrottled',
    'RequestLimitExceeded',
    'InternalServerError',
    'ServiceUnavailable',
    'TransactionConflictException',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'TimeoutError',
    'LateError',
    'AbortError',
  ])('is an outage that may be over: %s', (name) => {
    expect(storeFailure(thrown(name))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    expect(queueFailure(thrown(name))).toMatchObject({ code: 'QUEUE_UNAVAILABLE', retryable: true })
  })

  it.each([
    ['ResourceNotFoundException', 'table', /ensureInfrastructure/],
    ['AccessDeniedException', 'client', /policy/],
    ['UnrecognizedClientException', 'client', /credentials/],
    ['InvalidSignatureException', 'client', /region/],
    ['MissingAuthenticationTokenException', 'client', /credentials/],
    ['CredentialsProviderError', 'client', /credentials/],
    ['InvalidAction', 'client', /no DynamoDB/],
    ['UnknownOperationException', 'client', /no DynamoDB/],
  ])('is told of a store with what to do about it: %s', (name, field, hint) => {
    const failure = storeFailure(thrown(name))

    expect(failure).toMatchObject({ code: 'INVALID_OPTION', retryable: false, field })
    expect(failure.message).toContain(name)
    expect(failure.hint).toMatch(hint)
  })

  it.each([
    thrown('QueueDoesNotExist'),
    thrown('AWS.SimpleQueueService.NonExistentQueue'),
    thrown('SQSServiceException', 'gone', { Code: 'AWS.SimpleQueueService.NonExistentQueue' }),
    thrown('Error', 'gone', { Error: { Code: 'AWS.SimpleQueueService.NonExistentQueue' } }),
  ])('is a missing queue by any of its names', (error) => {
    expect(queueFailure(error)).toMatchObject({ code: 'INVALID_OPTION', field: 'queue' })
    expect(queueFailure(error, { option: 'highQueue' })).toMatchObject({ code: 'INVALID_OPTION', field: 'highQueue' })
  })

  it('is a table of another kind, or a value that is too large', () => {
    const schema = thrown('ValidationException', 'The provided key element does not match the schema')
    const size = thrown('ValidationException', 'Item size has exceeded the maximum allowed size')

    expect(storeFailure(schema)).toMatchObject({ code: 'INVALID_OPTION', field: 'table' })
    expect(storeFailure(size)).toMatchObject({ code: 'TOO_LARGE' })
  })

  it('is the missing region, a refused connection, something that is no error', () => {
    for (const message of ['Region is missing', 'Region not accepted: region="" is not a valid hostname component.']) {
      expect(queueFailure(new Error(message))).toMatchObject({ code: 'INVALID_OPTION', field: 'client' })
    }
    const page = Object.assign(new SyntaxError('Unexpected token <'), { $response: { statusCode: 502 } })
    expect(storeFailure(page)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'DynamoDB: what came back is no answer of this service (HTTP 502)',
    })
    const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED')])
    expect(queueFailure(refused)).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    expect(storeFailure('text')).toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'DynamoDB: text' })
  })

  it.each([
    'AccessDeniedException',
    'UnrecognizedClientException',
    'CredentialsProviderError',
    'ResourceNotFoundException',
  ])('is an outage of a service that has answered before, and tells what to do: %s', (name) => {
    const [first, later] = [storeFailure(thrown(name)), storeFailure(thrown(name), { hasAnswered: true })]

    expect(later).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, field: first.field, hint: first.hint })
  })

  it('is left as it is where Baton has said it', () => {
    const error = new BatonError('CLOSED')

    expect(storeFailure(error)).toBe(error)
    expect(queueFailure(error)).toBe(error)
  })
})
