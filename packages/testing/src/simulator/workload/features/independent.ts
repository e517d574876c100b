import type { Feature } from '../feature.ts'
import { childInput, inputOf } from '../inputs.ts'

/**
 * Runs that are nobody's children, as a schedule starts them: at an instant, under an id that says which one, so that several
 * who ask for the same get one. And runs that node code wants stopped.
 */
export const independentRuns: Feature = {
  name: 'independent runs',
  isRacy: true,
  chance: 0.35,
  operation: (dice, index, flows) => {
    if (dice.happens(0.2)) {
      const to = dice.pick(['r0', 'r1', 'tick-0', 'nobody'])
      return {
        name: `stop-${index}`,
        // Nobody else says that: so whoever watches knows whose word it was.
        run: ({ args }) => args.cancelRun(to, `not wanted by stop-${index} of ${args.runId}/${args.instanceId}`),
      }
    }
    if (flows.length === 0) return undefined
    const known = dice.pick(flows)
    const tick = dice.happens(0.6) ? `tick-${dice.below(2)}` : undefined
    const delayMs = dice.happens(0.4) ? dice.below(1_500) : undefined
    // Nobody else knows of such a run: it has to be stopped, however late its start arrives.
    const regrets = tick === undefined && delayMs !== undefined
    const hears = dice.happens(0.4) ? { endSignal: 'news' } : {}
    return {
      name: `tick-${index}`,
      async run({ args }) {
        const { runId, instanceId } = args
        const start = {
          ...(tick === undefined ? {} : { runId: tick }),
          ...(delayMs === undefined ? {} : { startAtMs: args.now() + delayMs }),
          ...hears,
        }
        const input = inputOf(known, tick === undefined ? childInput(runId, instanceId) : 7)
        const started = await args.startRun(known.flow, input, start)
        if (regrets) await args.cancelRun(started, `not wanted by tick-${index} of ${runId}/${instanceId}`)
      },
    }
  },
}
