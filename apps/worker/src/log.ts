/** Log lines: one line each, JSON for programs or plain text for people. */
import type { ILogger, LogFields, LogLevel } from '@baton/core'

export type LogFormat = 'json' | 'pretty'

export interface LoggerOptions {
  readonly format: LogFormat
  /** The least that is written. */
  readonly level: LogLevel
  readonly write: (line: string) => void
  readonly now?: () => Date
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function createLogger({ format, level: least, write, now = () => new Date() }: LoggerOptions): ILogger {
  const toLine = format === 'json' ? jsonLine : prettyLine
  return {
    log(level, message, fields) {
      if (levels.indexOf(level) >= levels.indexOf(least)) write(`${toLine(now(), level, message, fields)}\n`)
    },
  }
}

function jsonLine(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  return toJson({ time: time.toISOString(), level, message, ...fields })
}

function prettyLine(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const clock = time.toISOString().slice(11, 23)
  const told = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' && !/[\s"]/.test(value) ? value : toJson(value)}`)
  return [clock, level.padEnd(5), oneLine(message), ...told].join(' ')
}

/** JSON of anything. A log that throws would take down what it reports about. */
function toJson(value: unknown): string {
  const above: unknown[] = []
  const replace = function (this: unknown, _name: string, member: unknown): unknown {
    if (member instanceof Error) return errorFields(member)
    if (typeof member === 'bigint') return `${member}n`
    if (typeof member !== 'object' || member === null) return member
    // `this` holds the member: what is deeper than it is no longer above us.
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    if (above.includes(member)) return '(a cycle)'
    above.push(member)
    return member
  }
  try {
    return JSON.stringify(value, replace) ?? String(value)
  } catch (error) {
    return JSON.stringify(`(cannot be shown: ${String(error)})`)
  }
}

function errorFields(error: Error) {
  const { name, message, stack, cause } = error
  const code = 'code' in error ? error.code : undefined
  return { name, code, message, stack, ...(cause === undefined ? {} : { cause }) }
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
