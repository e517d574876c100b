import type { Feature } from '../feature.ts'

export const timeouts: Feature = {
  name: 'timeouts',
  isRacy: true,
  config: (dice) => ({ timeoutMs: dice.pick([100, 500, 2_000]) }),
}
