import { BatonError } from '@baton/core'
import type { Feature } from '../feature.ts'

/** Waits for news that each instance has a name of its own for. */
export const signals: Feature = {
  name: 'signals',
  operation: (_dice, index) => ({
    name: `signal-${index}`,
    run: async ({ args }) => {
      await args.waitForSignal(signalName(args.instanceId, index))
    },
  }),
}

/** Waits that may take too long, for a name that others wait for too. */
export const contendedSignals: Feature = {
  name: 'contended signals',
  isRacy: true,
  operation: (dice, index) => {
    const options = dice.happens(0.5) ? { timeoutMs: 300 + dice.below(2_000) } : {}
    return {
      name: `news-${index}`,
      async run({ args }) {
        try {
          await args.waitForSignal('news', options)
        } catch (error) {
          if (!BatonError.is(error, 'WAIT_TIMEOUT')) throw error
        }
      },
    }
  },
}

/** Ids of map items and visits have marks, which names of signals must not. */
function signalName(instanceId: string, index: number): string {
  return `s${index}.${instanceId.replaceAll(/[[\]#]/g, '.')}`
}
