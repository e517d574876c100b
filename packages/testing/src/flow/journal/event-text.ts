/** An event in a line that people read. Nothing in it that differs from test to test: no fence, no worker, no stack. */
import { inspect } from 'node:util'
import type { RunEvent } from '@baton/core'
import { duration } from './duration.ts'

const MOST_CHARS = 120

export type Decode = (value: never) => unknown

/** @param startMs the instant from which times are told */
export function lineOf(event: RunEvent, startMs: number, decode: Decode): string {
  const at = `+${duration(event.atMs - startMs)}`.padEnd(12)
  return `${String(event.seq).padStart(3)}  ${at}  ${textOf(event, decode)}`
}

function textOf(event: RunEvent, decode: Decode): string {
  const parts: string[] = [event.type]
  if (event.type === 'run-started') parts.push(event.head.flowId)
  if ('instanceId' in event && event.instanceId !== undefined) parts.push(event.instanceId)
  const details = detailsOf(event, decode)
  return details === '' ? parts.join(' ') : `${parts.join(' ')}: ${details}`
}

function detailsOf(event: RunEvent, decode: Decode): string {
  const show = (value: unknown) => (value === undefined ? '' : shown(decode(value as never)))
  switch (event.type) {
    case 'run-started':
      return show(event.input)
    case 'run-cancel-requested':
    case 'run-cancelled':
    case 'node-cancelled':
    case 'node-skipped':
      return event.reason
    case 'run-failed':
    case 'run-deadline-passed':
    case 'node-failed':
      return errorText(event.error)
    case 'node-claimed':
      return event.attempt === 1 ? '' : `attempt ${event.attempt}`
    case 'node-succeeded':
      return [show(event.output), event.action === undefined ? '' : `action ${event.action}`].filter(Boolean).join(', ')
    case 'attempt-failed':
      return `attempt ${event.attempt}, ${errorText(event.error)}; again after ${duration(event.retryAtMs - event.atMs)}`
    case 'step-recorded': {
      const { kind, name, result, timedOut } = event.step
      const end = timedOut === true ? 'time is up' : kind === 'step' ? show(result) : ''
      return [kind === 'step' ? name : `${kind} ${name}`, end].filter(Boolean).join(' → ')
    }
    case 'node-slept':
      return `for ${duration(event.wakeAtMs - event.atMs)}`
    case 'node-awaited': {
      const until = event.timeoutAtMs === undefined ? '' : `, at most ${duration(event.timeoutAtMs - event.atMs)}`
      return `${event.wait.kind} ${event.wait.name}${until}`
    }
    case 'map-expanded':
      return `${event.items.length} items`
    case 'child-started':
      return `${event.run.flowId} as ${event.run.runId}`
    case 'child-ended':
      return `${event.childRunId} ${event.end.status}`
    case 'message-sent':
      return `${event.message.body.type} to ${event.message.to}`
    case 'signal-received':
      return [event.name, show(event.payload)].filter(Boolean).join(' ')
    case 'approval-decided': {
      const { approved, by } = event.decision
      return `${event.approvalId} ${approved ? 'approved' : 'denied'}${by === undefined ? '' : ` by ${by}`}`
    }
    default:
      return ''
  }
}

export function errorText({ code, name, message }: { code?: string; name: string; message: string }): string {
  const first = message.split('\n', 1)[0] ?? ''
  return cut(`${code ?? name}: ${first}`)
}

/** A value in one line. */
export function shown(value: unknown): string {
  return cut(typeof value === 'string' ? JSON.stringify(value) : inspected(value))
}

function inspected(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, sorted: true })
}

function cut(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS - 1)}…`
}
