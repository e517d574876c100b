/** What every store has whose runs are logs of their commands: what it means, its default and its check, once. */

import { defaults } from '../model/blueprint.ts'
import { checkNumber } from '../model/check-options.ts'
import { type ILogger, silentLogger } from '../ports/logger.ts'

export interface LogStoreOptions {
  readonly logger?: ILogger
  /** How long a job may go unanswered before the sweep reminds of it, doubled each time … Default 30 s. */
  readonly redispatchMs?: number
  /** … up to this. Default 10 min. */
  readonly redispatchMaxMs?: number
  /** Values whose JSON is longer are kept apart from the log. Default 32 KiB. */
  readonly inlineMaxBytes?: number
  /** The longest that such a value may be. Default 16 MiB. */
  readonly valueMaxBytes?: number
  /** The longest that one transition may be without such values. Default 8 MiB. */
  readonly lineMaxBytes?: number
  /** How many runs to keep in memory, the last used ones. Default 5,000. */
  readonly cachedRuns?: number
  /** And at most about this much of their logs and values. Default 128 MiB. */
  readonly cachedBytes?: number
  /** How long the id of a purged run stays taken. Default 14 days. */
  readonly tombstoneMs?: number
}

export const logStoreOptions = Object.keys({
  logger: true,
  redispatchMs: true,
  redispatchMaxMs: true,
  inlineMaxBytes: true,
  valueMaxBytes: true,
  lineMaxBytes: true,
  cachedRuns: true,
  cachedBytes: true,
  tombstoneMs: true,
} satisfies Record<keyof LogStoreOptions, true>)

/** @param most what the backend can keep inline */
export function checkLogStoreOptions(
  options: LogStoreOptions,
  most: { readonly inlineMaxBytes?: number } = {},
): Required<LogStoreOptions> {
  const redispatchMs = options.redispatchMs ?? defaults.redispatchMs
  const checked = {
    redispatchMs,
    redispatchMaxMs: options.redispatchMaxMs ?? Math.max(redispatchMs, defaults.redispatchMaxMs),
    inlineMaxBytes: options.inlineMaxBytes ?? 32 * 1024,
    valueMaxBytes: options.valueMaxBytes ?? 16 * 1024 * 1024,
    lineMaxBytes: options.lineMaxBytes ?? 8 * 1024 * 1024,
    cachedRuns: options.cachedRuns ?? 5_000,
    cachedBytes: options.cachedBytes ?? 128 * 1024 * 1024,
    tombstoneMs: options.tombstoneMs ?? defaults.tombstoneMs,
  }
  const least: Partial<Record<keyof typeof checked, number>> = {
    redispatchMaxMs: redispatchMs,
    inlineMaxBytes: 256,
    valueMaxBytes: 1_024,
    lineMaxBytes: 1_024,
  }
  const atMost: Partial<Record<keyof typeof checked, number>> = most
  for (const name of Object.keys(checked) as (keyof typeof checked)[]) {
    checkNumber(checked[name], name, {
      least: least[name] ?? 1,
      most: atMost[name] ?? Number.MAX_SAFE_INTEGER,
      whole: true,
    })
  }
  return { ...checked, logger: options.logger ?? silentLogger }
}
