/** Flows that start others: awaited, left, called off with their parent, or not. */
import { BatonError, createFlow, FatalError, type NodeArguments } from '@baton/core'
import { addOne, end, PATIENT, total } from './common-nodes.ts'
import { fenceOf, say, work, workInStep } from './node-code.ts'

/** A child whose node fails at first. */
export const leaf = createFlow<number>('leaf')
  .node('a', addOne, PATIENT)
  .node(
    'b',
    async (args: NodeArguments<number>) => {
      await work(args)
      if (args.attempt === 1 && args.input % 2 === 0) throw new Error('at first')
      return { output: args.input * 2 }
    },
    { ...PATIENT, retry: { attempts: 2, delayMs: 30 } },
  )
  .edge('a', 'b')

/** Children that take turns. */
export const limitedLeaf = createFlow<number>('limited-leaf', { concurrency: { limit: 3 } }).node('a', addOne, PATIENT)

export const failingLeaf = createFlow<number>('failing-leaf').node(
  'a',
  async (args: NodeArguments<number>) => {
    await work(args)
    throw new FatalError(`no child for ${args.input}`)
  },
  PATIENT,
)

/** Long enough to be called off. */
export const slowLeaf = createFlow<number>('slow-leaf')
  .node('a', addOne, PATIENT)
  .sleep('rest', 400)
  .node('end', end, PATIENT)
  .edge('a', 'rest')
  .edge('rest', 'end')

export const middle = createFlow<number>('middle')
  .node('a', addOne, PATIENT)
  .child('below', slowLeaf)
  .node('end', end, PATIENT)
  .edge('a', 'below')
  .edge('below', 'end')

async function messageOf(run: Promise<unknown>): Promise<string> {
  try {
    return `not failed: ${String(await run)}`
  } catch (error) {
    if (BatonError.is(error, 'RUN_FAILED')) return String((error.cause as Error | undefined)?.message ?? error.message)
    throw error
  }
}

export const family = createFlow<number>('family')
  .node(
    'one',
    async (args: NodeArguments<number>) => {
      await say(args)
      const fence = await fenceOf(args)
      // Left to itself: it goes on when this run completes.
      await args.startChild(leaf, args.input)
      const later = await args.startChild<number>(leaf, args.input + 1)
      const first = await workInStep(args, fence, 'first', args.input)
      const now = await args.runChild<number>(leaf, first + 2)
      const failed = await messageOf(args.runChild(failingLeaf, args.input))
      const result = await later.result()
      await args.context.increment('count', 1)
      return { output: `${now} ${failed} ${result}` }
    },
    PATIENT,
  )
  .node(
    'make',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: [args.input, args.input + 1, args.input + 2] }
    },
    PATIENT,
  )
  .map(
    'each',
    async (args: NodeArguments<number>) => {
      await say(args)
      return { output: await args.runChild<number>(limitedLeaf, args.input) }
    },
    PATIENT,
  )
  .node(
    'end',
    (args: NodeArguments<{ readonly one: string; readonly each: readonly number[] }>) =>
      total(args, `${args.input.one} ${args.input.each.join(' ')}`),
    PATIENT,
  )
  .edge('make', 'each')
  .edge('one', 'end')
  .edge('each', 'end')

/** For the client to call off anywhere: `middle` and what is below it go with it, the detached child does not. */
export const orphans = createFlow<number>('orphans').node(
  'start',
  async (args: NodeArguments<number>) => {
    await say(args)
    await args.startChild(slowLeaf, args.input, { detached: true })
    await args.startChild(slowLeaf, args.input + 1)
    return { output: await args.runChild(middle, args.input) }
  },
  PATIENT,
)
