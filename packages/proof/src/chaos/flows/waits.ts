/** Flows that wait: for time, for people, for news. */
import { createFlow, type NodeArguments } from '@baton/core'
import { addOne, end, PATIENT, total } from './common-nodes.ts'
import { fenceOf, work, workInStep } from './node-code.ts'

/** Each step is counted in the context once, however often the function is entered. */
export const steps = createFlow<number>('steps')
  .node(
    'steps',
    async (args: NodeArguments<number>) => {
      const fence = await fenceOf(args)
      const first = await workInStep(args, fence, 'first', args.input)
      const [left, right] = await Promise.all([
        workInStep(args, fence, 'left', first + 1),
        workInStep(args, fence, 'right', first + 2),
      ])
      await args.sleep(50)
      const last = await workInStep(args, fence, 'last', left * right)
      await work(args)
      return { output: last }
    },
    PATIENT,
  )
  .node('end', end, PATIENT)
  .edge('steps', 'end')

export const nap = createFlow<number>('nap')
  .node('a', addOne, PATIENT)
  .sleep('rest', 300)
  .node('end', (args: NodeArguments<unknown>) => total(args, 'rested'), PATIENT)
  .edge('a', 'rest')
  .edge('rest', 'end')

export const approval = createFlow<number>('approval')
  .node('a', addOne, PATIENT)
  .approval('boss')
  .node('yes', (args: NodeArguments<unknown>) => total(args, 'yes'), PATIENT)
  .node('no', (args: NodeArguments<unknown>) => total(args, 'no'), PATIENT)
  .edge('a', 'boss')
  .edge('boss', 'yes', { condition: ({ action }) => action !== 'denied' })
  .edge('boss', 'no', { action: 'denied' })

export const news = createFlow<number>('news')
  .node('a', addOne, PATIENT)
  .waitForSignal('hear', { signal: 'news' })
  .node('end', end, PATIENT)
  .edge('a', 'hear')
  .edge('hear', 'end')

/** For the client to call off anywhere. */
export const cancelled = createFlow<number>('cancelled')
  .node('a', addOne, PATIENT)
  .node('b', addOne, PATIENT)
  .sleep('rest', 200)
  .node('end', (args: NodeArguments<unknown>) => total(args, 'through'), PATIENT)
  .edge('a', 'b')
  .edge('b', 'rest')
  .edge('rest', 'end')
