/** The `BATON_*` variables: what each may be, checked one by one, so that one look shows every mistake. */
import { BatonError, defaults } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import { checkUrl } from './addresses.ts'
import { mistake } from './mistake.ts'
import { nearestOf } from './nearest.ts'

/** One variable: what it gives, and what to do when it cannot be read. */
interface Rule<Value> {
  /** Gives the value, or throws what it should have been. */
  readonly read: (text: string, name: string) => Value
  readonly hint: string
}

/** Every variable that Baton's programs know. One that starts with `BATON_` and is not here is a slip of the pen. */
const variables = {
  BATON_STORE: rule(url, 'Leave it out for file:.baton.'),
  BATON_QUEUE: rule(url, "Leave it out for the store's own queue."),
  BATON_JOURNAL: rule(url, 'Leave it out where journals are not to be published.'),
  BATON_REDIS_URL: rule(url, 'Leave it out for what BATON_STORE names.'),
  BATON_DURABILITY: rule(
    oneOf('process', 'power'),
    'Leave it out for what the store was made with; a new one gets power.',
  ),
  BATON_FLOWS: rule(text, 'Name an ES module that exports `flows`.'),
  BATON_WORKER_ID: rule(id, "Leave it out for the machine's name and the process id."),
  BATON_CONCURRENCY: rule(whole({ least: 1, most: 10_000, unit: 'nodes at a time' }), instead(defaults.concurrency)),
  BATON_LEASE_MS: rule(whole({ least: 100, most: 3_600_000, unit: 'milliseconds' }), instead(defaults.leaseMs)),
  BATON_SWEEP_MS: rule(whole({ least: 10, most: 3_600_000, unit: 'milliseconds' }), instead(defaults.sweepMs)),
  BATON_STOP_WITHIN_MS: rule(
    whole({ least: 0, most: 3_600_000, unit: 'milliseconds' }),
    instead(defaults.stopWithinMs),
  ),
  BATON_RETENTION_MS: rule(
    whole({ least: 0, most: Number.MAX_SAFE_INTEGER, unit: 'milliseconds' }),
    instead(defaults.retentionMs),
  ),
  BATON_HEALTH_PORT: rule(
    whole({ least: 0, most: 65_535, unit: 'a port; 0 takes any that is free' }),
    'Leave it out for no health endpoint.',
  ),
  BATON_HEALTH_HOST: rule(text, instead('127.0.0.1')),
  BATON_LOG: rule(oneOf('json', 'pretty'), 'Leave it out for pretty on a terminal and json elsewhere.'),
  BATON_LOG_LEVEL: rule(oneOf('debug', 'info', 'warn', 'error'), instead('info')),
  BATON_EXIT_WITH_PARENT: rule(flag, instead(0)),
} as const satisfies Record<string, Rule<unknown>>

/** The name of a variable. */
export type Variable = keyof typeof variables
/** What the variables say, each as what it stands for; what is not set is absent. */
export type Values = { readonly [Name in Variable]?: ReturnType<(typeof variables)[Name]['read']> }

/** Baton's own tests set these for themselves, and start programs that inherit them. */
const OF_THE_TESTS = /^BATON_(TEST_|REQUIRE_SERVICES$)/

/** Reads the variables. A value that is empty counts as absent, since many tools cannot leave a variable out. */
export function readEnvironment(env: NodeJS.ProcessEnv): { values: Values; mistakes: readonly BatonError[] } {
  const values: Record<string, unknown> = {}
  const mistakes: BatonError[] = []
  for (const [name, given] of Object.entries(env)) {
    if (given === undefined || !name.startsWith('BATON_') || OF_THE_TESTS.test(name)) continue
    if (!isVariable(name)) mistakes.push(unknownVariable(name))
    else if (given.trim() !== '') {
      try {
        values[name] = variables[name].read(given.trim(), name)
      } catch (error) {
        const { hint } = variables[name]
        mistakes.push(
          BatonError.is(error) ? error : mistake(name, `${messageOf(error)}, not ${JSON.stringify(given)}`, hint),
        )
      }
    }
  }
  return { values: values as Values, mistakes }
}

function isVariable(name: string): name is Variable {
  return Object.hasOwn(variables, name)
}

function unknownVariable(name: string): BatonError {
  const nearest = nearestOf(name, Object.keys(variables))
  const all = `Known are: ${Object.keys(variables).join(', ')}.`
  return mistake(name, 'there is no such variable', nearest === undefined ? all : `Did you mean ${nearest}?`)
}

function rule<Value>(read: Rule<Value>['read'], hint: string): Rule<Value> {
  return { read, hint }
}

function instead(byDefault: number | string): string {
  return `Leave it out for ${byDefault}.`
}

// ── Readers: they give the value, or throw what it should have been ──────────────────────────────────────────────────

function text(given: string): string {
  return given
}

/** What is wrong with a URL is known best where URLs are. */
function url(given: string, name: string): string {
  checkUrl({ field: name, url: given })
  return given
}

function id(given: string): string {
  if (/^[A-Za-z0-9._:@-]{1,128}$/.test(given)) return given
  throw new Error('must be 1 to 128 of A-Z a-z 0-9 . _ : @ -')
}

function whole({ least, most, unit }: { readonly least: number; readonly most: number; readonly unit: string }) {
  return (given: string): number => {
    const value = Number(given)
    if (/^\d+$/.test(given) && value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
    throw new Error(`must be a whole number, ${range} (${unit})`)
  }
}

function flag(given: string): boolean {
  if (given === '1' || given === '0') return given === '1'
  throw new Error('must be 1 or 0')
}

function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  return (given: string): Choice => {
    const found = choices.find((choice) => choice === given)
    if (found !== undefined) return found
    throw new Error(`must be ${choices.join(' or ')}`)
  }
}
