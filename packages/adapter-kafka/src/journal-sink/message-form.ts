/**
 * An entry of a journal as a message:
 *
 *   key       the id of the run
 *   headers   baton-id      RUN/SEQ
 *             baton-type    of the event
 *             baton-truncated  true: its content was too large for the topic
 *   text      { "id", "runId", "seq", "event" }          as JSON, the event as `handle.stream()` gives it
 *             { "id", "runId", "seq", "event", "bytes" }  truncated: of the event there are only `seq`, `atMs` and `type`
 */
import type { JournalEntry } from '@baton/core'
import type { OutgoingMessage } from '../client-port.ts'

/** Of one request: brokers take a megabyte by default, and every message has some bytes beside its own. */
const MOST_REQUEST_BYTES = 512 * 1_024
const MOST_MESSAGES = 1_000
const BESIDE_BYTES = 200

/** @param mostBytes a longer text is left out but for what says which event it was */
export function messageOfEntry(entry: JournalEntry, mostBytes: number): OutgoingMessage {
  const { id, runId, event } = entry
  const headers = { 'baton-id': id, 'baton-type': event.type }
  const message = { key: runId, text: JSON.stringify(entry), headers }
  return Buffer.byteLength(message.text) <= mostBytes ? message : (truncated(message) ?? message)
}

/** @returns undefined for one that is truncated already */
export function truncated({ key, text, headers }: OutgoingMessage): OutgoingMessage | undefined {
  const { id, runId, seq, event, bytes } = JSON.parse(text) as JournalEntry & { readonly bytes?: number }
  if (bytes !== undefined) return undefined
  const { atMs, type } = event
  const rest = { id, runId, seq, event: { seq, atMs, type }, bytes: Buffer.byteLength(text) }
  return { key, text: JSON.stringify(rest), headers: { ...headers, 'baton-truncated': 'true' } }
}

/** In their order, as many in each as go with one request. */
export function* batchesOf(messages: readonly OutgoingMessage[]): Generator<readonly OutgoingMessage[]> {
  let batch: OutgoingMessage[] = []
  let bytes = 0
  for (const message of messages) {
    const more = Buffer.byteLength(message.text) + message.key.length + BESIDE_BYTES
    if (batch.length > 0 && (bytes + more > MOST_REQUEST_BYTES || batch.length >= MOST_MESSAGES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(message)
    bytes += more
  }
  if (batch.length > 0) yield batch
}
