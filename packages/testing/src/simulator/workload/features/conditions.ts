import { hash } from '../../../dice.ts'
import type { Feature } from '../feature.ts'

export const actions: Feature = { name: 'actions', edge: (dice) => ({ action: dice.pick(['left', 'right']) }) }

export const conditions: Feature = {
  name: 'conditions',
  edge: (dice) => {
    const rest = dice.below(2)
    return { condition: ({ output }) => hash(JSON.stringify(output)) % 2 === rest }
  },
}
