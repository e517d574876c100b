/** The `BATON_*` variables: what each may be, checked one by one, so that one look shows every mistake. */

import type { BatonError } from '@baton/core'
import { isUrl, URL_EXAMPLE } from './addresses.ts'
import { messageOf, mistake } from './mistake.ts'
import { nearestOf } from './nearest.ts'

type Reader<Value> = (text: string) => Value

/** Every variable that Baton's programs know. One that starts with `BATON_` and is not here is a slip of the pen. */
const variables = {
  BATON_STORE: url,
  BATON_QUEUE: url,
  BATON_REDIS_URL: url,
  BATON_DURABILITY: oneOf('process', 'power'),
  BATON_FLOWS: text,
  BATON_WORKER_ID: id,
  BATON_CONCURRENCY: whole({ least: 1, most: 10_000, unit: 'nodes at a time' }),
  BATON_LEASE_MS: whole({ least: 100, most: 3_600_000, unit: 'milliseconds' }),
  BATON_SWEEP_MS: whole({ least: 10, most: 3_600_000, unit: 'milliseconds' }),
  BATON_STOP_WITHIN_MS: whole({ least: 0, most: 3_600_000, unit: 'milliseconds' }),
  BATON_RETENTION_MS: whole({ least: 0, most: Number.MAX_SAFE_INTEGER, unit: 'milliseconds' }),
  BATON_HEALTH_PORT: whole({ least: 0, most: 65_535, unit: 'a port; 0 takes any that is free' }),
  BATON_HEALTH_HOST: text,
  BATON_LOG: oneOf('json', 'pretty'),
  BATON_LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error'),
  BATON_EXIT_WITH_PARENT: flag,
} as const satisfies Record<string, Reader<unknown>>

/** The name of a variable. */
export type Variable = keyof typeof variables
/** What the variables say, each as what it stands for; what is not set is absent. */
export type Values = { readonly [Name in Variable]?: ReturnType<(typeof variables)[Name]> }

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
        values[name] = variables[name](given.trim())
      } catch (error) {
        mistakes.push(mistake(name, `${messageOf(error)}, not ${JSON.stringify(given)}`))
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

// ── Readers: they give the value, or throw what it should have been ──────────────────────────────────────────────────

function text(given: string): string {
  return given
}

function url(given: string): string {
  if (isUrl(given)) return given
  throw new Error(`must be a URL such as ${URL_EXAMPLE}`)
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
