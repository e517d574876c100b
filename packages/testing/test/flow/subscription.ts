/** The flow that these tests are about: a trial of 30 days, then a charge, and a person for what costs a lot. */
import { createFlow, type NodeArguments } from '@baton/core'

export const DAY = 86_400_000

export interface Signup {
  readonly email: string
  readonly euros: number
}

export const receipts = createFlow<number>('receipts').node(
  'print',
  async ({ input, sleep }: NodeArguments<number>) => {
    await sleep(DAY)
    return { output: `receipt over ${input} €` }
  },
)

export const subscription = createFlow<Signup>('subscription')
  .node('open', async ({ input, step, sleep }: NodeArguments<Signup>) => {
    const ticket = await step('ticket', () => `T-${input.euros}`)
    await sleep(30 * DAY)
    return { output: { ...input, ticket }, action: input.euros > 1_000 ? 'large' : 'small' }
  })
  .node('ask', async ({ input, approval }: NodeArguments<Signup>) => {
    await approval('boss', { request: input.email, timeoutMs: 7 * DAY })
    return { output: input }
  })
  .node('charge', ({ input }: NodeArguments<Signup>) => ({ output: input.euros }), {
    joinStrategy: 'any',
    retry: { attempts: 3, delayMs: 3_600_000 },
  })
  .node('receipt', async ({ input, runChild }: NodeArguments<number>) => {
    return { output: await runChild<string>(receipts, input) }
  })
  .edge('open', 'ask', { action: 'large' })
  .edge('open', 'charge', { action: 'small' })
  .edge('ask', 'charge')
  .edge('charge', 'receipt')
