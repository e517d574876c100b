import type { Feature } from '../feature.ts'
import { continuedInput, inputOf } from '../inputs.ts'

/** Runs that end and go on as new ones, a few times. What else is live in them is called off, so the result is chance. */
export const endless: Feature = {
  name: 'endless',
  isRacy: true,
  chance: 0.4,
  operation: (dice, index, _flows, own) => {
    const links = 2 + dice.below(3)
    const delayMs = dice.happens(0.25) ? dice.below(1_000) : undefined
    const options = {
      ...(dice.happens(0.15) ? { deadlineMs: 300 + dice.below(4_000) } : {}),
      ...(dice.happens(0.2) ? { upgrade: true } : {}),
      ...(dice.happens(0.2) ? { context: { count: 1 } } : {}),
    }
    return {
      name: `continue-${index}`,
      async run({ args }) {
        const { runId } = args
        if (linkOf(runId) >= links) return
        const start = delayMs === undefined ? {} : { startAtMs: args.now() + delayMs }
        await args.continueAsNew(inputOf(own, continuedInput(runId)), { ...options, ...start })
      },
    }
  },
}

/** The how-many-th of its row a run is, as its id says. */
function linkOf(runId: string): number {
  return Number(/@(\d+)$/.exec(runId)?.[1] ?? 1)
}
