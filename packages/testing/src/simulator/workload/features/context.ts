import type { Feature } from '../feature.ts'

/** Writes that commute: none of them may be lost or count twice. */
export const counting: Feature = {
  name: 'counting',
  operation: (dice, index) => {
    const by = 1 + dice.below(5)
    return { name: `count-${index}`, adds: by, run: ({ args }) => args.context.increment('count', by) }
  },
}

/** Writes and reads of which the last one wins. */
export const sharedValues: Feature = {
  name: 'shared values',
  isRacy: true,
  config: () => ({ reads: ['shared'] }),
  operation: (dice, index) => {
    const key = dice.pick(['shared', 'other'])
    return {
      name: `set-${index}`,
      async run({ args }) {
        await args.context.get(key)
        await args.context.set(key, args.instanceId)
      },
    }
  },
}
