import type { Feature } from '../feature.ts'

export const sleeps: Feature = {
  name: 'sleeps',
  operation: (dice, index) => {
    const ms = dice.pick([1, 30, 500, 1_500])
    return { name: `sleep-${index}`, run: ({ args }) => args.sleep(ms) }
  },
}
