import { wait } from '@baton/core/adapter'
import type { Feature } from '../feature.ts'
import { pause } from './steps.ts'

/** Code that takes its time, some of it longer than a lease, some of it deaf to its signal. */
export const work: Feature = {
  name: 'work',
  operation: (dice, index) => {
    const ms = dice.pick([0, 5, 40, 200, 700, 2_000])
    const isDeaf = dice.happens(0.4)
    return {
      name: `work-${index}`,
      async run({ args, actor }) {
        if (isDeaf) return pause(actor.clock, ms)
        await wait(actor.clock, ms, args.signal)
        if (args.signal.aborted) throw new Error('stopped by its signal')
      },
    }
  },
}
