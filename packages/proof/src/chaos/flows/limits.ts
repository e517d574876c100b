/** Flows under limits. Node code says when it begins and ends, so that the witness knows how many were in there at once. */
import { createFlow, type NodeArguments } from '@baton/core'
import { addOne, PATIENT } from './common-nodes.ts'
import { workAndLeave } from './node-code.ts'

const MOST_SLOTS = 5
const MOST_PER_CUSTOMER = 2
const RATE = { limit: 4, periodMs: 1_000 }

/** A slot is the run's from its first node to its end, while it sleeps too. */
export const slots = createFlow<number>('slots', {
  concurrency: [{ limit: MOST_SLOTS }, { limit: MOST_PER_CUSTOMER, key: 'customer' }],
})
  .node('a', addOne, PATIENT)
  .sleep('rest', 80)
  .node('last', last, PATIENT)
  .edge('a', 'rest')
  .edge('rest', 'last')

/** For the client to call off, also while it waits in the line. */
export const slotsLeft = createFlow<number>('slots-left', { concurrency: { limit: 2 } })
  .node('a', addOne, PATIENT)
  .sleep('rest', 120)
  .node('last', last, PATIENT)
  .edge('a', 'rest')
  .edge('rest', 'last')

export const rated = createFlow<number>('rated', { rateLimit: RATE })
  .node('a', addOne, PATIENT)
  .node('last', last, PATIENT)
  .edge('a', 'last')

async function last(args: NodeArguments<unknown>): Promise<{ output: unknown }> {
  await workAndLeave(args)
  return { output: await args.context.get('count') }
}
