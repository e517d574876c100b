import { createFlow, type NodeArguments } from '@baton/core'
import type { Scenario } from './scenario.ts'

const double = createFlow<number>('double').node('double', ({ input }: NodeArguments<number>) => ({
  output: input * 2,
}))

const broken = createFlow('broken').node('break', () => {
  throw new Error('it is broken')
})

const listening = createFlow('listening').node('listen', async ({ waitForSignal }: NodeArguments) => ({
  output: await waitForSignal('word'),
}))

const rounds = createFlow<number>('rounds').node('round', ({ input, continueAsNew }: NodeArguments<number>) =>
  input > 1 ? continueAsNew(input - 1) : { output: 'done' },
)

/** Runs that start runs which are nobody's children, hear of their ends, and call them off. */
export const otherRuns: readonly Scenario[] = [
  {
    name: 'a run hears of the end of a run of its own that it started',
    flow: () =>
      createFlow('starting').node('start', async ({ startRun, waitForSignal, runId }: NodeArguments) => {
        const started = await startRun(double, 4, { endSignal: 'over' })
        return { output: [started === `${runId}:start:0`, (await waitForSignal<{ status: string }>('over')).status] }
      }),
    children: [double],
    expect: { status: 'completed', output: [true, 'completed'] },
  },
  {
    name: 'a run of its own may fail, and who started it goes on',
    flow: () =>
      createFlow('undisturbed').node('start', async ({ startRun, waitForSignal, step }: NodeArguments) => {
        await startRun(broken, undefined, { endSignal: 'over' })
        await step('more', () => 1)
        return { output: (await waitForSignal<{ status: string }>('over')).status }
      }),
    children: [broken],
    expect: { status: 'completed', output: 'failed' },
  },
  {
    name: 'a run calls off another one, right after it was started',
    flow: () =>
      createFlow('calling-off').node('start', async ({ startRun, cancelRun, waitForSignal }: NodeArguments) => {
        const started = await startRun(listening, undefined, { endSignal: 'over' })
        await cancelRun(started, 'no longer wanted')
        return { output: (await waitForSignal<{ status: string }>('over')).status }
      }),
    children: [listening],
    expect: { status: 'completed', output: 'cancelled' },
  },
  {
    name: 'a run calls off one that tells it nothing',
    flow: () =>
      createFlow('calling-off-a-stranger').node('start', async ({ startRun, cancelRun }: NodeArguments) => {
        const started = await startRun(listening, undefined, { runId: 'stranger' })
        await cancelRun(started, 'no longer wanted')
        return { output: started }
      }),
    children: [listening],
    expect: { status: 'completed', output: 'stranger' },
  },
  {
    name: 'a run of its own goes on as a new one, and its end is told once, by the id that is known',
    flow: () =>
      createFlow('starting-rounds').node('start', async ({ startRun, waitForSignal }: NodeArguments) => {
        await startRun(rounds, 3, { runId: 'rounds-of-three', endSignal: 'over' })
        return { output: await waitForSignal('over') }
      }),
    children: [rounds],
    expect: { status: 'completed', output: { runId: 'rounds-of-three', status: 'completed' } },
  },
]
