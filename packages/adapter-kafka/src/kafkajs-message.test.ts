import { expect, it } from 'vitest'
import { receivedOf } from './kafkajs-message.ts'

type KafkaJsMessage = Parameters<typeof receivedOf>[0]

it('takes what other clients can send and kafkajs cannot: no key, no text, headers without a value or with several', () => {
  const headers = { none: null, some: Buffer.from('text'), several: [Buffer.from('a'), 'b'], empty: [] }
  const message = { offset: '7', key: null, value: null, headers } as unknown as KafkaJsMessage

  expect(receivedOf(message)).toEqual({
    offset: 7,
    key: '',
    text: '',
    headers: { none: '', some: 'text', several: 'a', empty: '' },
  })
})
