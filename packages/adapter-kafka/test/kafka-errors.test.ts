import { BatonError } from '@baton/core'
import { expect, it } from 'vitest'
import { kafkaFailure } from '../src/kafka-errors.ts'

const protocolError = (type: string) => Object.assign(new Error(`what Kafka says of ${type}`), { type })

it.each([
  ['UNKNOWN_TOPIC_OR_PARTITION', 'topic'],
  ['TOPIC_AUTHORIZATION_FAILED', 'client'],
  ['SASL_AUTHENTICATION_FAILED', 'client'],
  ['INVALID_REPLICATION_FACTOR', 'replicationFactor'],
])('%s is a mistake, also behind what the client says of it', (type, field) => {
  const behind = [
    protocolError(type),
    new Error('retries exceeded', { cause: protocolError(type) }),
    Object.assign(new Error('Topic creation errors'), { errors: [protocolError(type)] }),
  ]
  for (const error of behind) {
    expect(kafkaFailure(error)).toMatchObject({ code: 'INVALID_OPTION', field, hint: expect.any(String) })
    expect(kafkaFailure(error).message).toContain(type)
  }
})

it('anything else is an outage, and what Baton has said stays as it is', () => {
  expect(kafkaFailure(new Error('connect ECONNREFUSED'))).toMatchObject({ code: 'QUEUE_UNAVAILABLE', retryable: true })
  expect(kafkaFailure(protocolError('MESSAGE_TOO_LARGE'))).toMatchObject({ code: 'TOO_LARGE' })
  const closed = new BatonError('CLOSED')
  expect(kafkaFailure(closed)).toBe(closed)
})
