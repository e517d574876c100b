import type { FlowOptions } from '@baton/core'
import type { Dice } from '../../../dice.ts'
import type { Feature } from '../feature.ts'

/** Flows that only so many runs of may be under way, or begin, at a time: a matter of the flow, not of its nodes. */
export const limits: Feature = { name: 'limits', chance: 0.4 }

export type LimitOptions = Pick<FlowOptions, 'concurrency' | 'rateLimit'>

export interface SimLimits {
  readonly options: LimitOptions
  readonly isKeyed: boolean
}

export const NO_LIMITS: SimLimits = { options: {}, isKeyed: false }

/** The same for all versions of a flow: while versions differ, the newest request would say what holds. */
export function limitsOf(dice: Dice): SimLimits {
  const isKeyed = dice.happens(0.5)
  const own = { limit: 1 + dice.below(2), key: 'customer' }
  const concurrency = [
    ...(isKeyed ? [own] : []),
    ...(!isKeyed || dice.happens(0.3) ? [{ limit: 1 + dice.below(3) }] : []),
  ]
  const rateLimit = { limit: 1 + dice.below(2), periodMs: 100 + dice.below(900) }
  const isPaced = dice.happens(0.4)
  const isCounted = !isPaced || isKeyed || dice.happens(0.5)
  return {
    isKeyed,
    options: { ...(isCounted ? { concurrency } : {}), ...(isPaced ? { rateLimit } : {}) },
  }
}
