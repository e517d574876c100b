import type { Feature } from '../feature.ts'

export const retries: Feature = {
  name: 'retries',
  config: (dice) => ({ retry: { attempts: 2 + dice.below(3), delayMs: dice.pick([0, 50, 400]), jitter: 0.3 } }),
}
