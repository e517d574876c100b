/** What Kafka and its client say when they fail, in Baton's words. */
import { BatonError } from '@baton/core'
import { messageOf } from '@baton/core/adapter'

/**
 * A BatonError stays what it is. What will be refused when it is asked again becomes `INVALID_OPTION` with what to do about it, and
 * what is too large `TOO_LARGE`; everything else is an outage, `QUEUE_UNAVAILABLE`, after which nobody knows whether what was asked took effect.
 */
export function kafkaFailure(error: unknown): BatonError {
  if (BatonError.is(error)) return error
  const cause = rootOf(error)
  const message = `Kafka: ${messageOf(cause)}`
  const known = KNOWN.get(typeOf(cause))
  if (known === undefined) return new BatonError('QUEUE_UNAVAILABLE', { message, cause: error })
  if (known === 'too-large') return new BatonError('TOO_LARGE', { message, cause: error })
  return new BatonError('INVALID_OPTION', { ...known, message, cause: error })
}

/** That a topic is not there, where Kafka was asked and has not said so itself. */
export function absentTopic(topic: string, field = ABSENT.field): BatonError {
  return new BatonError('INVALID_OPTION', { ...ABSENT, field, message: `Kafka: there is no topic ${topic}` })
}

/** For a line of a log. */
export function failureFields(error: unknown): { readonly error: string; readonly hint?: string } {
  const { code, message, hint } = kafkaFailure(error)
  return { error: message, ...(code === 'INVALID_OPTION' && hint !== undefined ? { hint } : {}) }
}

/** Whether the broker says so itself, by the names of Kafka's protocol: `UNKNOWN_TOPIC_OR_PARTITION` … */
export function isKafkaError(error: unknown, type: string): boolean {
  return typeOf(rootOf(error)) === type
}

/** That we did not take a broker's certificate, by Node's names. */
export function isCertificateError(error: unknown): boolean {
  return CERTIFICATE_CODES.has(String((error as { readonly code?: unknown } | null)?.code))
}

/** What stands behind "retries exceeded" and "topic creation errors". */
function rootOf(error: unknown): unknown {
  let root = error
  for (let depth = 0; depth < 10 && root instanceof Error && typeOf(root) === undefined; depth++) {
    // Several topics were asked for, and each has an answer of its own.
    const [first] = (root as { readonly errors?: readonly unknown[] }).errors ?? []
    const behind = root.cause ?? first
    if (!(behind instanceof Error)) break
    root = behind
  }
  return root
}

function typeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { type, name } = error as { readonly type?: unknown; readonly name?: unknown }
  if (typeof type === 'string') return type
  if (isCertificateError(error)) return UNTRUSTED_CERTIFICATE
  return name === 'KafkaJSSASLAuthenticationError' ? 'SASL_AUTHENTICATION_FAILED' : undefined
}

const ABSENT = {
  field: 'topic',
  hint: 'Create the topic with ensureTopics(), or see that brokers and name are right. Baton lets no broker create topics behind your back.',
}
const DENIED = {
  field: 'client',
  hint: 'Kafka knows who asks, and does not let them: give the user the rights that the README lists.',
}
const UNFIT = {
  field: 'replicationFactor',
  hint: 'See that there are as many brokers as replicas, and that the brokers take these settings of a topic.',
}
const UNKNOWN_USER = {
  field: 'client',
  hint: 'See that the user and the password are right, and that the listener takes this mechanism.',
}

const UNTRUSTED = {
  field: 'client',
  hint: 'See that ssl.ca, or the file that NODE_EXTRA_CA_CERTS names, has the CA of the brokers, that their certificates are valid at present, and that they are called as in there.',
}

/** What all of them are here. */
const UNTRUSTED_CERTIFICATE = 'UNTRUSTED_CERTIFICATE'
const CERTIFICATE_CODES = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

type Mistake = { readonly field: string; readonly hint: string }

const KNOWN = new Map<string | undefined, Mistake | 'too-large'>([
  ['UNKNOWN_TOPIC_OR_PARTITION', ABSENT],
  ['INVALID_TOPIC_EXCEPTION', ABSENT],
  ['TOPIC_AUTHORIZATION_FAILED', DENIED],
  ['GROUP_AUTHORIZATION_FAILED', DENIED],
  ['CLUSTER_AUTHORIZATION_FAILED', DENIED],
  ['SASL_AUTHENTICATION_FAILED', UNKNOWN_USER],
  ['UNSUPPORTED_SASL_MECHANISM', UNKNOWN_USER],
  ['ILLEGAL_SASL_STATE', UNKNOWN_USER],
  [UNTRUSTED_CERTIFICATE, UNTRUSTED],
  ['INVALID_REPLICATION_FACTOR', UNFIT],
  ['INVALID_CONFIG', UNFIT],
  ['POLICY_VIOLATION', UNFIT],
  ['MESSAGE_TOO_LARGE', 'too-large'],
  ['RECORD_LIST_TOO_LARGE', 'too-large'],
])
