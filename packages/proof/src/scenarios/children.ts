import { type BatonError, createFlow, type NodeArguments, type RunId } from '@baton/core'
import { parseRunId } from '@baton/core/adapter'
import { eventually, type Scenario } from './scenario.ts'

const double = createFlow<number>('double').node('double', ({ input }: NodeArguments<number>) => ({
  output: input * 2,
}))

const broken = createFlow('broken').node('break', () => {
  throw new Error('it is broken')
})

const nested = createFlow<number>('nested').node('ask', async ({ input, runChild }: NodeArguments<number>) => ({
  output: 1 + (await runChild<number>(double, input)),
}))

const listening = createFlow('listening').node('listen', async ({ waitForSignal }: NodeArguments) => ({
  output: await waitForSignal('word'),
}))

const calling = createFlow<string>('calling').node('call', async ({ input, signalRun }: NodeArguments<string>) => {
  await signalRun(input, 'word', 'from the child')
})

const waiting = createFlow('waiting').node('ask', async ({ runChild }: NodeArguments) => ({
  output: await runChild(listening),
}))

/** Runs that start runs: results, failures, cancellation and signals across them. */
export const children: readonly Scenario[] = [
  {
    name: 'a child gives its output to the node that waits for it',
    flow: () =>
      createFlow<number>('parent')
        .node('ask', async ({ input, runChild }: NodeArguments<number>) => ({
          output: await runChild<number>(double, input),
        }))
        .node('after', ({ input }: NodeArguments<number>) => ({ output: input + 1 }))
        .edge('ask', 'after'),
    children: [double],
    input: 20,
    expect: { status: 'completed', output: 41 },
  },
  {
    name: 'a node may be nothing but a child',
    flow: () =>
      createFlow<number>('with-child-node')
        .child('double', double)
        .child('again', double)
        .child('leave', listening, { wait: false, detached: true })
        .node('sum', ({ input }: NodeArguments<{ again: number; leave: string }>) => ({
          output: [input.again, typeof input.leave],
        }))
        .edge('double', 'again')
        .edge('double', 'leave')
        .edge('again', 'sum')
        .edge('leave', 'sum'),
    input: 5,
    expect: { status: 'completed', output: [20, 'string'] },
  },
  {
    name: 'the failure of a child fails the node that waits for it, without another attempt',
    flow: () =>
      createFlow('parent-of-broken').node(
        'ask',
        async ({ runChild }: NodeArguments) => ({ output: await runChild(broken) }),
        { retry: { attempts: 3 } },
      ),
    children: [broken],
    expect: {
      status: 'failed',
      error: { code: 'RUN_FAILED' },
      instances: { ask: 'failed' },
    },
  },
  {
    name: 'a node may catch that its child failed, and go on',
    flow: () =>
      createFlow('catching').node('ask', async ({ runChild }: NodeArguments) => ({
        output: await runChild(broken).catch(({ code, cause }: BatonError) => [code, (cause as Error).message]),
      })),
    children: [broken],
    expect: { status: 'completed', output: ['RUN_FAILED', 'it is broken'] },
  },
  {
    name: 'children that were started may be waited for later, in any order',
    flow: () =>
      createFlow('several').node('ask', async ({ startChild, sleep }: NodeArguments) => {
        const [first, second] = [await startChild<number>(double, 1), await startChild<number>(double, 2)]
        await sleep(20)
        return { output: [await second.result(), await first.result()] }
      }),
    children: [double],
    expect: { status: 'completed', output: [4, 2] },
  },
  {
    name: 'a child may have children',
    flow: () =>
      createFlow<number>('grandparent').node('ask', async ({ input, runChild }: NodeArguments<number>) => ({
        output: await runChild(nested, input),
      })),
    children: [nested, double],
    input: 5,
    expect: { status: 'completed', output: 11 },
  },
  {
    name: 'each item of a map may be a child',
    flow: () =>
      createFlow<number[]>('map-of-children')
        .node('list', ({ input }: NodeArguments<number[]>) => ({ output: input }))
        .map(
          'each',
          async ({ input, runChild }: NodeArguments<number>) => ({ output: await runChild(double, input) }),
          {
            concurrency: 2,
          },
        )
        .edge('list', 'each'),
    children: [double],
    input: [1, 2, 3, 4],
    expect: { status: 'completed', output: [2, 4, 6, 8] },
  },
  {
    name: 'a wait for a child ends when its time is up',
    flow: () =>
      createFlow('impatient').node('ask', async ({ runChild }: NodeArguments) => ({
        output: await runChild(listening, undefined, { timeoutMs: 60 }).catch(({ code }: BatonError) => code),
      })),
    children: [listening],
    onlyTime: true,
    expect: { status: 'completed', output: 'WAIT_TIMEOUT' },
  },
  {
    name: 'a parent signals its child',
    flow: () =>
      createFlow('telling').node('tell', async ({ startChild, signalRun }: NodeArguments) => {
        const child = await startChild(listening)
        await signalRun(child.runId, 'word', { from: 'the parent' })
        return { output: await child.result() }
      }),
    children: [listening],
    expect: { status: 'completed', output: { from: 'the parent' } },
  },
  {
    name: 'a child signals its parent',
    flow: () =>
      createFlow('told').node('wait', async ({ startChild, waitForSignal, runId }: NodeArguments) => {
        await startChild(calling, runId)
        return { output: await waitForSignal('word') }
      }),
    children: [calling],
    expect: { status: 'completed', output: 'from the child' },
  },
  {
    name: 'who cancels a run cancels its children, and theirs',
    flow: () =>
      createFlow('cancelled-family').node('ask', async ({ runChild }: NodeArguments) => ({
        output: await runChild(waiting),
      })),
    children: [waiting, listening],
    drive: async (handle, stage) => {
      const child = parseRunId(`${handle.runId}:ask:0`)
      const grandchild = parseRunId(`${child}:ask:0`)
      const statusOf = async (runId: RunId) => (await stage.store.summary(runId))?.status
      await eventually(stage, async () => (await statusOf(grandchild)) === 'paused')
      await handle.cancel('enough')
      for (const runId of [child, grandchild]) {
        await eventually(stage, async () => (await statusOf(runId)) === 'cancelled')
      }
    },
    onlyStored: true,
    expect: { status: 'cancelled' },
  },
]
