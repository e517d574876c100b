/** Flows made of edges. How each run ends follows from its input alone, whoever runs what first and how often. */
import { createFlow, FatalError, type NodeArguments } from '@baton/core'
import { addOne, end, PATIENT, total } from './common-nodes.ts'
import { work, workUncounted } from './node-code.ts'

type Numbers = Readonly<Record<string, number>>

const sumOf = (numbers: Numbers): number => Object.values(numbers).reduce((sum, each) => sum + each, 0)

export const line = createFlow<number>('line')
  .node('a', addOne, PATIENT)
  .node('b', addOne, PATIENT)
  .node('c', addOne, PATIENT)
  .node('d', addOne, PATIENT)
  .node('end', end, PATIENT)
  .edge('a', 'b')
  .edge('b', 'c')
  .edge('c', 'd')
  .edge('d', 'end')

const branch = (factor: number) => async (args: NodeArguments<number>) => {
  await work(args, 30)
  return { output: args.input * factor }
}

export const fanOut = createFlow<number>('fan-out')
  .node('split', addOne, PATIENT)
  .node('two', branch(2), PATIENT)
  .node('three', branch(3), PATIENT)
  .node('five', branch(5), PATIENT)
  .node('seven', branch(7), PATIENT)
  .node('join', (args: NodeArguments<Numbers>) => total(args, sumOf(args.input)), PATIENT)
  .edge('split', 'two')
  .edge('split', 'three')
  .edge('split', 'five')
  .edge('split', 'seven')
  .edge('two', 'join')
  .edge('three', 'join')
  .edge('five', 'join')
  .edge('seven', 'join')

/** Both say the same, so that it does not matter who was first; and nobody counts, since the loser may or may not run. */
const racer = (mostMs: number) => async (args: NodeArguments<number>) => {
  await workUncounted(args, mostMs)
  return { output: args.input * 10 }
}

export const race = createFlow<number>('race')
  .node('start', addOne, PATIENT)
  .node('hare', racer(20), PATIENT)
  .node('tortoise', racer(80), PATIENT)
  .node('first', addOne, { ...PATIENT, joinStrategy: 'any' })
  .node('end', end, PATIENT)
  .edge('start', 'hare')
  .edge('start', 'tortoise')
  .edge('hare', 'first')
  .edge('tortoise', 'first')
  .edge('first', 'end')

/** The same, and the loser is called off. */
export const raceToTheEnd = createFlow<number>('race-to-the-end')
  .node('hare', racer(20), PATIENT)
  .node('tortoise', racer(400), PATIENT)
  .node('end', end, { ...PATIENT, joinStrategy: 'any', cancelLosers: true })
  .edge('hare', 'end')
  .edge('tortoise', 'end')

export const choice = createFlow<number>('choice')
  .node(
    'ask',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: args.input, action: args.input % 2 === 0 ? 'even' : 'odd' }
    },
    PATIENT,
  )
  .node('even', branch(100), PATIENT)
  .node('odd', branch(1_000), PATIENT)
  .node('small', branch(10_000), PATIENT)
  .node('meet', (args: NodeArguments<Numbers>) => total(args, sumOf(args.input)), PATIENT)
  .edge('ask', 'even', { action: 'even' })
  .edge('ask', 'odd', { action: 'odd' })
  .edge('ask', 'small', { condition: ({ output }) => (output as number) < 5 })
  .edge('even', 'meet')
  .edge('odd', 'meet')
  .edge('small', 'meet')

export const list = createFlow<number>('list')
  .node(
    'make',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: Array.from({ length: 2 + args.input }, (_, index) => index + args.input) }
    },
    PATIENT,
  )
  .map(
    'square',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: args.input ** 2 }
    },
    { ...PATIENT, concurrency: 3 },
  )
  .node('end', (args: NodeArguments<number[]>) => total(args, args.input.join(' ')), PATIENT)
  .edge('make', 'square')
  .edge('square', 'end')

/** An attempt that fails is tried again and counted by nobody; one whose worker dies is no attempt at all. */
export const flaky = createFlow<number>('flaky')
  .node(
    'try',
    async (args: NodeArguments<number>) => {
      await work(args)
      if (args.attempt <= args.input % 4) throw new Error(`attempt ${args.attempt} fails`)
      return { output: args.input + args.attempt }
    },
    { ...PATIENT, retry: { attempts: 4, delayMs: 60 } },
  )
  .node(
    'break',
    async (args: NodeArguments<number>) => {
      await workUncounted(args)
      throw new FatalError(`cannot do ${args.input}`)
    },
    { ...PATIENT, fallback: 'mend' },
  )
  .node('mend', branch(11), PATIENT)
  .node('end', end, PATIENT)
  .edge('try', 'break')
  .edge('break', 'end')

export const doomed = createFlow<number>('doomed')
  .node('a', addOne, PATIENT)
  .node(
    'fail',
    async (args: NodeArguments<number>) => {
      await work(args)
      throw new FatalError(`no way with ${args.input}`)
    },
    PATIENT,
  )
  .node('never', end, PATIENT)
  .edge('a', 'fail')
  .edge('fail', 'never')

/** Longer than a lease of a second, so that claims live by renewals; whoever dies here was busy. */
export const long = createFlow<number>('long')
  .node(
    'long',
    async (args: NodeArguments<number>) => {
      await work(args, 2_500)
      return { output: args.input }
    },
    PATIENT,
  )
  .node('end', end, PATIENT)
  .edge('long', 'end')
