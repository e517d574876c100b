import type { Feature } from '../feature.ts'

/** Few workers may be lost over a node before it fails. */
export const poison: Feature = {
  name: 'poison',
  isRacy: true,
  config: (dice) => ({ maxLostLeases: dice.below(3) }),
}
