/** A client that was given, or one by the configuration that was given. */
import { BatonError } from '@baton/core'
import type { KafkaConfig } from 'kafkajs'
import type { IKafkaClient } from './client-port.ts'
import { createKafkaJsClient, type KafkaJsOptions } from './kafkajs-client.ts'

export function isClient(client: KafkaConfig | IKafkaClient): client is IKafkaClient {
  return 'send' in client
}

/** @returns the one that was given; else one of its own, which is to be closed by whoever asked for it */
export function openClient(client: KafkaConfig | IKafkaClient, options: KafkaJsOptions): IKafkaClient {
  return isClient(client) ? client : createKafkaJsClient(client, options)
}

/** @param field the option that it was given as */
export function checkClient(client: unknown, field = 'client'): void {
  if (typeof client === 'object' && client !== null) {
    const { brokers, send, member } = client as { brokers?: unknown; send?: unknown; member?: unknown }
    if (typeof send === 'function' && typeof member === 'function') return
    if (typeof brokers === 'function' || (Array.isArray(brokers) && brokers.length > 0 && brokers.every(isBroker)))
      return
  }
  throw new BatonError('INVALID_OPTION', {
    field,
    message: 'must be the configuration of kafkajs, with the brokers, or a client',
    hint: "Write { brokers: ['localhost:9092'] }.",
  })
}

function isBroker(broker: unknown): boolean {
  return typeof broker === 'string' && /^[^\s/]+:\d+$/.test(broker)
}
