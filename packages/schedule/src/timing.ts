/** When a schedule fires: a cron expression in a time zone, or an interval; from, until. Checked once, at the door. */
import { BatonError, checkNumber } from '@baton/core'
import { Cron } from 'croner'

export interface CronTiming {
  /**
   * Five fields (minute, hour, day of the month, month, day of the week) or six (seconds first), as Vixie cron reads
   * them, with names (`MON`, `JAN`), `L`, `W`, `#` and the nicknames `@hourly` to `@yearly`.
   */
  readonly cron: string
  /** An IANA name: `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string
  readonly everyMs?: never
}

export interface IntervalTiming {
  /** At least 1,000. Instants are whole multiples of it after `startAtMs`, or after 1970: they do not drift. */
  readonly everyMs: number
  readonly cron?: never
  readonly timeZone?: never
}

export interface TimingWindow {
  /** Nothing before this instant. Of an interval, the first instant. */
  readonly startAtMs?: number
  /** Nothing at this instant, or after it. */
  readonly endAtMs?: number
}

export type Timing = (CronTiming | IntervalTiming) & TimingWindow

export const timingMembers = ['cron', 'timeZone', 'everyMs', 'startAtMs', 'endAtMs'] as const

/** How croner reads an expression. Times that a change of the clocks takes away or doubles are treated as Vixie cron does. */
export function cronOf({ cron, timeZone = 'UTC' }: CronTiming): Cron {
  const key = `${timeZone} ${cron}`
  const known = read.get(key)
  if (known !== undefined) return known
  const fresh = new Cron(cron, {
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
  if (read.size >= MOST_READ) read.clear()
  read.set(key, fresh)
  return fresh
}

/** A schedule asks several times in a turn, and reading an expression costs more than asking. */
const read = new Map<string, Cron>()
const MOST_READ = 1_000

const LEAST_INTERVAL_MS = 1_000

/** Throws `INVALID_OPTION` that names the field. */
export function checkTiming(timing: Timing): void {
  const { cron, timeZone, everyMs, startAtMs, endAtMs } = timing as Partial<CronTiming & IntervalTiming> & TimingWindow
  checkNumber(startAtMs, 'startAtMs', { least: 0, most: LAST_MS, whole: true })
  checkNumber(endAtMs, 'endAtMs', { least: 0, most: LAST_MS, whole: true })
  if (startAtMs !== undefined && endAtMs !== undefined && endAtMs <= startAtMs) {
    throw refused('endAtMs', 'is not after startAtMs', 'No instant lies between the two.')
  }
  if ((cron === undefined) === (everyMs === undefined)) {
    const hint = "Write `cron: '0 3 * * *'` or `everyMs: 60_000`."
    throw refused('cron', cron === undefined ? 'neither cron nor everyMs is given' : 'given beside everyMs', hint)
  }
  if (everyMs !== undefined) {
    if (timeZone !== undefined) {
      throw refused('timeZone', 'given for an interval', 'An interval is a number of milliseconds in every zone.')
    }
    checkNumber(everyMs, 'everyMs', { required: true, least: LEAST_INTERVAL_MS, most: LAST_MS, whole: true })
    return
  }
  checkZone(timeZone)
  checkCron({ cron: cron as string, ...(timeZone === undefined ? {} : { timeZone }) })
}

/** Whether there is still something to come: a slip in the year would make a schedule that has ended before it began. */
export function checkIsToCome({ endAtMs }: TimingWindow, nowMs: number): void {
  if (endAtMs === undefined || endAtMs > nowMs) return
  throw refused('endAtMs', `${new Date(endAtMs).toISOString()} has passed`, 'Nothing would ever be started.')
}

/** The last instant that a Date can hold. */
const LAST_MS = 8_640_000_000_000_000

function checkZone(timeZone: unknown): void {
  if (timeZone === undefined) return
  // What Node also takes, offsets such as +01:00, names no place, and knows no summer.
  if (typeof timeZone === 'string' && /^[A-Za-z]/.test(timeZone) && isKnownZone(timeZone)) return
  const shown = typeof timeZone === 'string' ? timeZone : typeof timeZone
  throw refused('timeZone', `not a time zone that is known here: ${shown}`, "Write an IANA name: 'Europe/Berlin'.")
}

function isKnownZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}

function checkCron(timing: CronTiming): void {
  const { cron } = timing as { readonly cron: unknown }
  const hint = 'Five fields: minute, hour, day of the month, month, day of the week. Or six, with seconds first.'
  // croner would also take a date, for something that happens once.
  if (typeof cron !== 'string' || /^\s*\d{4}-/.test(cron)) throw refused('cron', 'not a cron expression', hint)
  let next: Date | null
  try {
    next = cronOf(timing).nextRun(new Date(0))
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error)
    throw refused('cron', `${JSON.stringify(cron)} cannot be read: ${why}`, hint)
  }
  if (next !== null) return
  throw refused('cron', `${JSON.stringify(cron)} never comes`, 'No date fits all of its fields.')
}

export function refused(field: string, message: string, hint: string): BatonError {
  return new BatonError('INVALID_OPTION', { field, message, hint })
}
