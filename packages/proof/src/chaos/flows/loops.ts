/** Flows that go round: each visit counts in the context, so that one too many or too few shows in the output. */
import { createFlow, type NodeArguments } from '@baton/core'
import { addOne, end, PATIENT, total } from './common-nodes.ts'
import { work } from './node-code.ts'

const RETRIED = { ...PATIENT, retry: { attempts: 3, delayMs: 40 } }

/** Fails its first attempt in each second visit. */
async function stumble(args: NodeArguments<number>): Promise<{ output: number }> {
  await work(args)
  if (args.attempt <= args.visit % 2) throw new Error(`visit ${args.visit} fails at first`)
  return { output: args.input + args.attempt }
}

/** A straight body: its last node begins the next visit. */
export const rounds = createFlow<number>('rounds')
  .node('go', stumble, RETRIED)
  .node(
    'again',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: args.input, action: args.visit < 3 + (args.input % 3) ? 'again' : 'enough' }
    },
    PATIENT,
  )
  .node('end', end, PATIENT)
  .edge('go', 'again')
  .edge('again', 'go', { action: 'again', loop: { maxVisits: 20 } })
  .edge('again', 'end', { action: 'enough' })

/** A body that branches, with a loop in one of its branches: turns are joins. */
export const tours = createFlow<number>('tours')
  .node('depart', addOne, PATIENT)
  .node(
    'circle',
    async (args: NodeArguments<number>) => {
      await work(args)
      return { output: args.input + 10, action: args.visit < 2 ? 'round' : 'on' }
    },
    PATIENT,
  )
  .node('straight', stumble, RETRIED)
  .node(
    'meet',
    async (args: NodeArguments<{ readonly circle: number; readonly straight: number }>) => {
      await work(args)
      const { circle, straight } = args.input
      return { output: circle + straight, action: args.visit < 3 ? 'again' : 'home' }
    },
    PATIENT,
  )
  .node('end', (args: NodeArguments<unknown>) => total(args, args.input), PATIENT)
  .edge('depart', 'circle')
  .edge('depart', 'straight')
  .edge('circle', 'circle', { action: 'round', loop: { maxVisits: 3 } })
  .edge('circle', 'meet', { action: 'on' })
  .edge('straight', 'meet')
  .edge('meet', 'depart', { action: 'again', loop: { maxVisits: 4 } })
  .edge('meet', 'end', { action: 'home' })
