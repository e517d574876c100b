import type { Feature } from '../feature.ts'

export const checkpoints: Feature = {
  name: 'checkpoints',
  operation: (_dice, index) => ({ name: `mark-${index}`, run: ({ args }) => args.checkpoint(`mark-${index}`) }),
}
