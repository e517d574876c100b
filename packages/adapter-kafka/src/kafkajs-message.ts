import type { Consumer, Message } from 'kafkajs'
import type { Headers, OutgoingMessage, ReceivedMessage } from './client-port.ts'

/** As kafkajs sends it. */
export function messageOf({ key, text, headers }: OutgoingMessage): Message {
  return { key, value: text, headers: { ...headers } }
}

type KafkaJsMessage = Parameters<
  NonNullable<Parameters<Consumer['run']>[0]>['eachBatch'] & object
>[0]['batch']['messages'][number]

/** As kafkajs gives it. */
export function receivedOf({ offset, key, value, headers = {} }: KafkaJsMessage): ReceivedMessage {
  const text: Record<string, string> = {}
  for (const [name, values] of Object.entries(headers)) {
    const one = Array.isArray(values) ? values[0] : values
    // Other clients than kafkajs can send headers without a value, which its types do not know.
    text[name] = one?.toString() ?? ''
  }
  const found: Headers = text
  return { offset: Number(offset), key: key?.toString() ?? '', text: value?.toString() ?? '', headers: found }
}
