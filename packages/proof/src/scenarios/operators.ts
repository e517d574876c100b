import { createFlow, type NodeArguments } from '@baton/core'
import { type Scenario, untilPaused } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })

/** What operators do to runs that go on. */
export const operators: readonly Scenario[] = [
  {
    name: 'a run that an operator pauses keeps its news, and goes on when the pause is lifted',
    flow: () =>
      createFlow('operator-pause').waitForSignal('paid', { signal: 'paid' }).node('after', pass).edge('paid', 'after'),
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.pause({ reason: 'the bank asks', by: 'ada' })
      await handle.signal('paid', 7)
      await handle.pause({ reason: 'another' })
      await handle.unpause({ by: 'grace' })
    },
    expect: { status: 'completed', output: 7 },
  },
  {
    name: 'failed work that is redriven is done over, and what it had poisoned and skipped runs after all',
    flow: () => {
      let isMended = false
      return createFlow('redriven', { failFast: false })
        .node('broken', () => {
          if (isMended) return { output: 'mended' }
          isMended = true
          throw new Error('broken')
        })
        .waitForSignal('go', { signal: 'go' })
        .node('join', pass)
        .node('after', pass)
        .edge('broken', 'join')
        .edge('go', 'join')
        .edge('join', 'after')
    },
    drive: async (handle, stage) => {
      await untilPaused(handle, stage)
      await handle.redrive({ by: 'ada' })
      await handle.signal('go', 7)
    },
    expect: {
      status: 'completed',
      output: { broken: 'mended', go: 7 },
      instances: { broken: 'succeeded', join: 'succeeded', after: 'succeeded' },
    },
  },
]
