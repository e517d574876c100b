import type { Feature } from '../feature.ts'

/** Joins that the first success starts. */
export const anyJoins: Feature = {
  name: 'any joins',
  isRacy: true,
  config: (dice) => ({ joinStrategy: 'any', cancelLosers: dice.happens(0.3) }),
}

export const ignoringJoins: Feature = {
  name: 'ignoring joins',
  isRacy: true,
  config: (dice) => ({ joinStrategy: 'any', anyFailure: 'ignore', cancelLosers: dice.happens(0.3) }),
}
