/** Warnings about how nodes behave. */
import { type Blueprint, defaults } from '../model/blueprint.ts'
import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import { errors } from '../model/errors.ts'
import { type RetryPolicy, retryDelayMs } from '../model/retry.ts'
import { duration } from './duration.ts'
import type { GraphView, ViewedNode } from './graph-view.ts'
import type { Finding } from './lint-blueprint.ts'

export function nodeWarnings({ nodes, blueprint }: GraphView): Finding[] {
  const hasEdges = blueprint.edges.length > 0
  return nodes.flatMap((node, place) => {
    const field = `nodes[${place}]`
    return [
      ...joinWarnings(node, field),
      ...(hasEdges && isLonely(node) ? [{ code: 'LONELY_NODE', field, what: node.id } as const] : []),
      ...mapWarnings(node, field),
      ...retryWarnings(node, field, blueprint),
      ...timeWarnings(node, field, blueprint),
    ]
  })
}

function isLonely({ incoming, outgoing, standsInFor }: ViewedNode): boolean {
  return incoming.length === 0 && outgoing.length === 0 && standsInFor === undefined
}

function joinWarnings({ id, node, incoming, isJoin, standsInFor }: ViewedNode, place: string): Finding[] {
  const { joinStrategy, cancelLosers } = node.config ?? {}
  const field = `${place}.config.joinStrategy`
  if (joinStrategy === undefined) return []
  if (standsInFor !== undefined) return [{ code: 'FALLBACK_JOIN_IGNORED', field, what: `${id} for ${standsInFor.id}` }]
  if (joinStrategy !== 'any') return []
  if (!isJoin) return [{ code: 'ANY_OF_ONE', field, what: id }]
  // A predecessor all of whose edges lead here is called off first; only with one of those is anything called off.
  const losers = incoming.some(
    ({ source, leadsBack }) => !leadsBack && source.outgoing.every(({ target }) => target.id === id),
  )
  return cancelLosers === true && !losers
    ? [{ code: 'NOTHING_TO_CANCEL', field: `${place}.config.cancelLosers`, what: id }]
    : []
}

const MOST_ITEMS_AT_A_TIME = 1_000

function mapWarnings({ id, node, incoming, isJoin }: ViewedNode, place: string): Finding[] {
  const { map, inputs, joinStrategy } = node.config ?? {}
  const ahead = incoming.filter(({ leadsBack }) => !leadsBack)
  if (map === undefined) return []
  const findings: Finding[] = []
  if (inputs !== undefined) {
    findings.push({ code: 'MAP_OF_NO_LIST', field: `${place}.config.inputs`, what: `${id} gets an object of inputs` })
  } else if (isJoin && joinStrategy !== 'any') {
    const what = `${id} gets an object of the outputs of ${ahead.length} edges`
    findings.push({ code: 'MAP_OF_NO_LIST', field: place, what })
  } else {
    const [only] = incoming
    const uses = only?.source.node.uses
    if (incoming.length === 1 && only?.edge.transform === undefined && (uses === SLEEP || uses === APPROVAL)) {
      const what = `${id} gets ${uses === SLEEP ? 'nothing from a sleep' : 'a decision'}`
      findings.push({ code: 'MAP_OF_NO_LIST', field: place, what })
    }
  }
  if ((map.concurrency ?? 0) > MOST_ITEMS_AT_A_TIME) {
    findings.push({ code: 'MAP_CONCURRENCY', field: `${place}.config.map.concurrency`, what: id })
  }
  return findings
}

const WAITS: ReadonlySet<string> = new Set([APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL])

function retryWarnings({ id, node }: ViewedNode, place: string, { policy }: Blueprint): Finding[] {
  const retry = node.config?.retry
  const field = `${place}.config.retry`
  if (retry === undefined) return []
  if (WAITS.has(node.uses)) return [{ code: 'RETRY_ON_WAIT', field, what: id }]
  const findings: Finding[] = (retry.errors ?? []).flatMap((name, index) =>
    isFatal(name)
      ? [{ code: 'RETRY_OF_FATAL', field: `${field}.errors[${index}]`, what: `${id}, ${name}` } as const]
      : [],
  )
  if ((retry.attempts ?? defaults.attempts) < 2) findings.push({ code: 'RETRY_NEVER', field, what: id })
  else if (policy?.deadlineMs !== undefined && pausesAtLeast(retry, policy.deadlineMs)) {
    findings.push({ code: 'RETRY_BEYOND_DEADLINE', field, what: id })
  }
  return findings
}

function isFatal(name: string): boolean {
  if (name === 'FatalError') return true
  return Object.hasOwn(errors, name) && !errors[name as keyof typeof errors].retryable
}

/** Whether the pauses alone take this long, even where chance shortens them as far as it may. */
function pausesAtLeast(retry: RetryPolicy, limitMs: number): boolean {
  const { attempts = defaults.attempts, factor = 2 } = retry
  let sum = 0
  for (let failures = 1; failures < attempts; failures++) {
    const pause = retryDelayMs(retry, failures, 1)
    sum += pause
    if (sum >= limitMs) return true
    const isSteady = pause === 0 || factor === 1 || pause === retryDelayMs(retry, failures + 1, 1)
    // From here on all pauses are alike, and there may be millions of them.
    if (isSteady) return sum + pause * (attempts - 1 - failures) >= limitMs
  }
  return false
}

function timeWarnings({ id, node }: ViewedNode, place: string, { policy }: Blueprint): Finding[] {
  const deadlineMs = policy?.deadlineMs
  if (deadlineMs === undefined) return []
  const { timeoutMs } = node.config ?? {}
  const findings: Finding[] = []
  const compared = (ms: number) => `${id}, ${duration(ms)} of ${duration(deadlineMs)}`
  if (timeoutMs !== undefined && timeoutMs > deadlineMs) {
    findings.push({ code: 'TIMEOUT_BEYOND_DEADLINE', field: `${place}.config.timeoutMs`, what: compared(timeoutMs) })
  }
  if (WAITS.has(node.uses)) {
    const member = node.uses === SLEEP ? 'delayMs' : 'timeoutMs'
    const waitMs = node.params?.[member]
    if (typeof waitMs === 'number' && waitMs >= deadlineMs) {
      findings.push({ code: 'WAIT_BEYOND_DEADLINE', field: `${place}.params.${member}`, what: compared(waitMs) })
    }
  }
  return findings
}
