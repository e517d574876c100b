import { BatonError } from './errors.ts'
import { nearestName } from './nearest.ts'

/** Refuses what is no object at all, for those who have to look into it before they know all its members. */
export function assertOptions(options: unknown, field = 'options'): asserts options is object {
  if (typeof options === 'object' && options !== null) return
  throw new BatonError('INVALID_OPTION', {
    field,
    message: 'not an object of options',
    // Where nothing is taken for {}, leaving it out is what was done.
    hint:
      options === undefined ? 'Give an object of options: there are some to be given.' : 'Leave it out, or pass {}.',
  })
}

/**
 * Refuses options that nobody knows: a slip like `runid` would otherwise be taken for no option at all. A member without
 * a value says nothing and is let pass.
 */
export function checkOptions(options: unknown, known: readonly string[], field = 'options'): void {
  assertOptions(options, field)
  for (const [member, value] of Object.entries(options)) {
    if (value === undefined || known.includes(member)) continue
    const nearest = longerName(member, known) ?? nearestName(member, known)
    const hint = nearest === undefined ? `Known options: ${known.join(', ')}.` : `Did you mean \`${nearest}\`?`
    throw new BatonError('INVALID_OPTION', { field: `${field}.${member}`, message: 'no such option', hint })
  }
}

/** Who writes `queue` for `queueName` has made no slip of the hand, and is far from it in letters. */
function longerName(member: string, known: readonly string[]): string | undefined {
  if (member.length < LEAST_LETTERS) return undefined
  const longer = known.filter((name) => name.startsWith(member))
  return longer.length === 1 ? longer[0] : undefined
}

const LEAST_LETTERS = 4

interface Range {
  readonly least: number
  readonly most?: number
  readonly whole?: boolean
  /** There is no default. */
  readonly required?: boolean
}

/** A number within bounds, or `INVALID_OPTION` that says which. Absent is fine, unless it is required. */
export function checkNumber(value: unknown, field: string, range: Range): void {
  const { least, most, whole = false, required = false } = range
  if (value === undefined && !required) return
  const isFit = typeof value === 'number' && value >= least && (most === undefined || value <= most)
  if (isFit && (!whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return
  const bounds = most === undefined ? `from ${least}` : `from ${least} to ${most}`
  const message = `must be a ${whole ? 'whole ' : ''}number ${bounds}, not ${String(value)}`
  const hint = required ? 'There is no default: give a number.' : 'Leave it out for the default.'
  throw new BatonError('INVALID_OPTION', { field, message, hint })
}

/** Absent is fine. */
export function checkText(value: unknown, field: string): void {
  if (value === undefined || typeof value === 'string') return
  throw new BatonError('INVALID_OPTION', {
    field,
    message: `must be a text, not ${value === null ? 'null' : typeof value}`,
  })
}

/** Absent is fine. */
export function checkFunction(value: unknown, field: string): void {
  if (value === undefined || typeof value === 'function') return
  throw new BatonError('INVALID_OPTION', { field, message: `must be a function, not ${typeof value}` })
}

/** Absent is fine. */
export function checkFlag(value: unknown, field: string): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new BatonError('INVALID_OPTION', { field, message: `must be true or false, not ${typeof value}` })
}

/** One of a few words. Absent is fine. */
export function checkChoice(value: unknown, field: string, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return
  const known = choices.map((choice) => `"${choice}"`).join(', ')
  const message = `must be one of ${known}, not ${JSON.stringify(value) ?? typeof value}`
  throw new BatonError('INVALID_OPTION', { field, message, hint: 'Leave it out for the default.' })
}
