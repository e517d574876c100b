/** A job of Baton as a message of Kafka: its text, its key, and what stands in its headers. */
import { type Job, textOfJob } from '@baton/core/adapter'
import type { Headers, OutgoingMessage, ReceivedMessage } from '../client-port.ts'

/** How often it was delivered before. */
const REDELIVERED = 'baton-redelivered'
/** When it is to be delivered, in milliseconds since 1970. */
const NOT_BEFORE = 'baton-not-before'
/** Why it was taken out for good. */
export const REASON = 'baton-reason'
/** From where it was taken out. */
const ORIGIN = 'baton-origin'
const LONGEST_REASON = 1_000

/**
 * The key spreads jobs over the partitions: those of one run too, or a run with two hundred nodes side by side would be the work of
 * one worker. A job that is sent again mostly goes to another partition, since it may be that whoever reads this one has no time.
 */
export function messageOfJob(job: Job): OutgoingMessage {
  const { runId, instanceId, dispatch } = job
  return { key: `${runId} ${instanceId} ${dispatch}`, text: textOfJob(job), headers: {} }
}

export function redeliveredOf({ headers }: ReceivedMessage): number {
  return wholeNumber(headers[REDELIVERED])
}

/** When it may be delivered; 0 where nothing is said. */
export function notBeforeOf({ headers }: ReceivedMessage): number {
  return wholeNumber(headers[NOT_BEFORE])
}

/** The same once more, for anyone. */
export function messageAgain(message: ReceivedMessage, redelivered: number, notBeforeMs: number): OutgoingMessage {
  const { [NOT_BEFORE]: _, ...headers } = message.headers
  const later: Headers = notBeforeMs > 0 ? { [NOT_BEFORE]: String(notBeforeMs) } : {}
  const key = `${message.key} again`.slice(-LONGEST_KEY)
  return { key, text: message.text, headers: { ...headers, ...later, [REDELIVERED]: String(redelivered) } }
}

/** Taken out for good, with why and from where. */
export function deadMessage(message: ReceivedMessage, reason: string, origin: string): OutgoingMessage {
  const headers = {
    ...message.headers,
    [REASON]: reason.slice(0, LONGEST_REASON),
    [ORIGIN]: `${origin}:${message.offset}`,
  }
  return { key: message.key, text: message.text, headers }
}

const LONGEST_KEY = 500

function wholeNumber(text: string | undefined): number {
  const number = Number(text ?? 0)
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}
