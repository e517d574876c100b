/** One line of a log: a message for people and fields for programs. */
export interface ILogger {
  log(level: LogLevel, message: string, fields: LogFields): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Lines about work carry all three of run, instance and attempt. */
export interface LogFields {
  readonly runId?: string
  readonly instanceId?: string
  readonly attempt?: number
  readonly workerId?: string
  readonly [field: string]: unknown
}

export const silentLogger: ILogger = { log() {} }

/** Adds fields to every line, e.g. the run and instance that node code logs about. */
export function withFields(logger: ILogger, fields: LogFields): ILogger {
  return { log: (level, message, more) => logger.log(level, message, { ...fields, ...more }) }
}
