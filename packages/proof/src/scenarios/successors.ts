import { createFlow, type NodeArguments, type RunHandle } from '@baton/core'
import { parseRunId } from '@baton/core/adapter'
import { eventually, type Scenario } from './scenario.ts'

const counting = createFlow<number>('counting-on').node(
  'count',
  async ({ input, continueAsNew }: NodeArguments<number>) =>
    input < 4 ? continueAsNew(input + 1) : { output: `reached ${input}` },
)

/** One word per run, until it is told `end`. */
const collecting = createFlow<string[]>('collecting-on').node(
  'collect',
  async ({ input = [], waitForSignal, continueAsNew }: NodeArguments<string[]>) => {
    const word = await waitForSignal<string>('word')
    return word === 'end' ? { output: input } : continueAsNew([...input, word])
  },
)

const listening = createFlow('listening-on').node('listen', async ({ waitForSignal }: NodeArguments) => {
  await waitForSignal('never')
})

/** Runs that go on as new ones: `continueAsNew`. */
export const successors: readonly Scenario[] = [
  {
    name: 'a run goes on as new, and its result is that of the last',
    flow: () => counting,
    input: 1,
    expect: { status: 'completed', output: 'reached 4', instances: { count: 'succeeded' } },
  },
  {
    name: 'a run that goes on as new has an empty context, unless one is given',
    flow: () =>
      createFlow<number>('fresh').node('node', async ({ input, context, continueAsNew }: NodeArguments<number>) => {
        const seen = (await context.get<string>('seen')) ?? 'nothing'
        await context.set('seen', 'from before')
        if (input === 1) return continueAsNew(2)
        return input === 2 ? continueAsNew(3, { context: { given: seen } }) : { output: seen }
      }),
    input: 1,
    expect: { status: 'completed', output: 'nothing', context: { given: 'nothing', seen: 'from before' } },
  },
  {
    name: 'a run that goes on as new calls off its other branches',
    flow: () =>
      createFlow<number>('branching-on')
        .node('go', async ({ input, sleep, continueAsNew }: NodeArguments<number>) => {
          await sleep(20)
          return input > 1 ? { output: 'over' } : continueAsNew(input + 1)
        })
        .node('wait', async ({ input, sleep }: NodeArguments<number>) => {
          if (input === 1) await sleep(3_600_000)
        })
        .node('behind', ({ input }: NodeArguments<{ go: string }>) => ({ output: input.go }))
        .edge('go', 'behind')
        .edge('wait', 'behind'),
    input: 1,
    expect: { status: 'completed', output: 'over' },
  },
  {
    name: 'a parent waits for the last of the runs that go on for its child',
    flow: () =>
      createFlow('parent-of-many').node('ask', async ({ runChild }: NodeArguments) => ({
        output: await runChild(counting, 2),
      })),
    children: [counting],
    expect: { status: 'completed', output: 'reached 4' },
  },
  {
    name: 'signals follow a run that goes on as new, each of them once, in their order',
    flow: () => collecting,
    drive: async (handle: RunHandle, stage) => {
      // Some at once, which have to be carried along, and some one by one.
      for (const word of ['a', 'b', 'c']) await handle.signal('word', word, { signalId: word })
      const fourth = parseRunId(`${handle.runId}@4`)
      await eventually(stage, async () => (await stage.store.summary(fourth))?.status === 'paused')
      for (const word of ['c', 'd', 'b']) await handle.signal('word', word, { signalId: word })
      await handle.signal('word', 'end')
    },
    expect: { status: 'completed', output: ['a', 'b', 'c', 'd'] },
  },
  {
    name: 'who cancels a run cancels the one that goes on for it, and the children that were taken along',
    flow: () =>
      createFlow<number>('leading-on').node(
        'lead',
        async ({ input, startChild, waitForSignal, continueAsNew }: NodeArguments<number>) => {
          if (input > 2) return { output: await waitForSignal('never') }
          if (input === 1) await startChild(listening)
          return continueAsNew(input + 1)
        },
      ),
    children: [listening],
    input: 1,
    drive: async (handle, stage) => {
      const child = parseRunId(`${handle.runId}:lead:0`)
      const third = parseRunId(`${handle.runId}@3`)
      const statusOf = async (runId: typeof child) => (await stage.store.summary(runId))?.status
      await eventually(stage, async () => (await statusOf(third)) === 'paused')
      await eventually(stage, async () => (await statusOf(child)) === 'paused')
      await handle.cancel('enough')
      await eventually(stage, async () => (await statusOf(child)) === 'cancelled')
    },
    onlyStored: true,
    expect: { status: 'cancelled' },
  },
]
