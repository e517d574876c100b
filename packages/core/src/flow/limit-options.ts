import type { ConcurrencyLimit, RateLimit } from '../model/blueprint.ts'
import type { KeyedLimit, LimitOption } from './flow-options.ts'

/** Limits as a blueprint has them: a list, each with its key as a path. What is wrong with them is for the blueprint to say. */
export function toLimits<Limit extends ConcurrencyLimit | RateLimit>(
  given: LimitOption<Limit> | undefined,
): readonly Limit[] | undefined {
  if (given === undefined) return undefined
  return (Array.isArray(given) ? given : [given]).map(toLimit<Limit>)
}

function toLimit<Limit>(limit: KeyedLimit<Limit>): Limit {
  if (typeof limit?.key !== 'string') return limit as Limit
  return { ...limit, key: [limit.key] } as Limit
}
