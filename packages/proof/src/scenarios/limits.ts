import { createFlow, type NodeArguments } from '@baton/core'
import { eventually, type Scenario } from './scenario.ts'

const one = createFlow<number>('one-at-a-time', { concurrency: { limit: 1 } }).node(
  'double',
  ({ input }: NodeArguments<number>) => ({ output: input * 2 }),
)

const sleepy = createFlow<number>('sleepy', { concurrency: { limit: 2 } })
  .node('keep', ({ input }: NodeArguments<number>) => ({ output: input }))
  .sleep('sleep', 20)
  .edge('keep', 'sleep')

const keyed = createFlow<{ customer: string }>('keyed', {
  concurrency: [{ limit: 3 }, { limit: 1, key: 'customer' }],
}).node('name', ({ input }: NodeArguments<{ customer: string }>) => ({ output: input.customer }))

const paced = createFlow('paced', { rateLimit: { limit: 1, periodMs: 30 } }).node('work', () => {})

const broken = createFlow('broken-and-limited', { concurrency: { limit: 1 } }).node('break', () => {
  throw new Error('it is broken')
})

/** Starts so many runs of a flow, and waits for all of them. */
const parentOf = (name: string, count: number, start: (args: NodeArguments, index: number) => Promise<unknown>) =>
  createFlow(name).node('ask', async (args: NodeArguments) => {
    const children = []
    for (let index = 0; index < count; index++) children.push(await start(args, index))
    const outputs = []
    for (const child of children as { result(): Promise<unknown> }[]) {
      outputs.push(
        await child.result().then(
          (output) => output ?? 'nothing',
          ({ code }) => code,
        ),
      )
    }
    return { output: outputs }
  })

/** Runs under limits: their turn comes, their slot goes to the next however they end. */
export const limits: readonly Scenario[] = [
  {
    name: 'a run under a limit with nobody before it begins at once',
    flow: () => one,
    input: 4,
    expect: { status: 'completed', output: 8 },
  },
  {
    name: 'a run under several limits passes them all',
    flow: () => keyed,
    input: { customer: 'acme' },
    expect: { status: 'completed', output: 'acme' },
  },
  {
    name: 'children under a limit have their turn one after the other',
    flow: () => parentOf('turns', 5, ({ startChild }, index) => startChild(one, index)),
    children: [one],
    expect: { status: 'completed', output: [0, 2, 4, 6, 8] },
  },
  {
    name: 'a run that sleeps keeps its slot',
    flow: () => parentOf('sleepers', 4, ({ startChild }, index) => startChild(sleepy, index)),
    children: [sleepy],
    expect: { status: 'completed', output: ['nothing', 'nothing', 'nothing', 'nothing'] },
  },
  {
    name: 'a key has its limit for itself',
    flow: () => parentOf('keys', 4, ({ startChild }, index) => startChild(keyed, { customer: index < 3 ? 'a' : 'b' })),
    children: [keyed],
    expect: { status: 'completed', output: ['a', 'a', 'a', 'b'] },
  },
  {
    name: 'a run that fails gives its slot to the next',
    flow: () => parentOf('failures', 3, ({ startChild }) => startChild(broken)),
    children: [broken],
    expect: { status: 'completed', output: ['RUN_FAILED', 'RUN_FAILED', 'RUN_FAILED'] },
  },
  {
    name: 'runs under a rate are let in one after the other, as time goes on',
    flow: () => parentOf('pace', 3, ({ startChild }) => startChild(paced)),
    children: [paced],
    onlyTime: true,
    expect: { status: 'completed', output: ['nothing', 'nothing', 'nothing'] },
  },
  {
    name: 'a run under a limit begins when its time has come',
    flow: () => parentOf('later', 1, ({ startChild }) => startChild(one, 3, { startAtMs: 50 })),
    children: [one],
    onlyTime: true,
    expect: { status: 'completed', output: [6] },
  },
  {
    name: 'a run that is cancelled while it waits for its turn never begins',
    flow: () =>
      createFlow('holder', { concurrency: { limit: 1 } }).node('again', async ({ startChild }: NodeArguments) => {
        // It waits for a slot that only its parent can give back.
        const child = await startChild('holder')
        return { output: await child.result().catch(({ code }) => code) }
      }),
    drive: async (handle, stage) => {
      await eventually(stage, async () => (await handle.record()).children.length > 0)
      await handle.cancel('stuck')
    },
    onlyStored: true,
    expect: { status: 'cancelled' },
  },
]
