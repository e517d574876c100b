/**
 * Time, chance, log and serializer, where somebody brings their own. Absent is fine. What lacks a method would else be
 * told by whichever run calls it first, long after the line that is wrong.
 */
import { checkFunction } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { IClock, NewId, Random } from './clock.ts'
import type { ILogger } from './logger.ts'
import type { ISerializer } from './serializer.ts'

export interface Injected {
  readonly clock?: IClock
  readonly logger?: ILogger
  readonly serializer?: ISerializer
  readonly random?: Random
  readonly newId?: NewId
}

const objects = {
  clock: { port: 'IClock', methods: ['now', 'after'] satisfies (keyof IClock)[] },
  logger: { port: 'ILogger', methods: ['log'] satisfies (keyof ILogger)[] },
  serializer: { port: 'ISerializer', methods: ['encode', 'decode'] satisfies (keyof ISerializer)[] },
} as const

/** @param at how a member is called where the person wrote it */
export function checkInjected(options: Injected, at = (name: keyof Injected): string => name): void {
  for (const name of ['clock', 'logger', 'serializer'] as const) {
    const { port, methods } = objects[name]
    const given: unknown = options[name]
    if (given === undefined) continue
    const members = (typeof given === 'object' && given !== null ? given : {}) as { readonly [method: string]: unknown }
    const missing = methods.filter((method) => typeof members[method] !== 'function')
    if (missing.length === 0) continue
    const message = `not an ${port}: it has no ${missing.join(', ')}`
    throw new BatonError('INVALID_OPTION', { field: at(name), message, hint: 'Leave it out for the default.' })
  }
  for (const name of ['random', 'newId'] as const) checkFunction(options[name], at(name))
}
