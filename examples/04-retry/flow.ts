/** A price from a shop that often does not answer: asked again, with growing pauses, and remembered when all is in vain. */
import { createFlow, type NodeArguments, RetryableError } from '@baton/core'
import { askShop, remembered } from './shop.ts'

interface Price {
  readonly what: string
  readonly euros: number
  readonly isOld: boolean
}

//   ask ─────────► tag
//     └ remember ──┘     stands in for ask when that has failed for good
export const prices = createFlow<string>('prices')
  .node(
    'ask',
    async ({ input: what, attempt }: NodeArguments<string>) => {
      // An ordinary error is tried again; a FatalError, which the shop throws for what it does not sell, is not.
      const euros = await askShop(what, attempt)
      // An error may know better than the policy when to come back.
      if (euros === undefined) throw new RetryableError(`no price for ${what} before noon`, { retryAfterMs: 30 })
      return { output: { what, euros, isOld: false } }
    },
    // Pauses of 10 and 20 ms, so that you need not wait; in life these would be seconds. The default takes up to a fifth
    // off each, so that a thousand runs do not come back at the same moment.
    { retry: { attempts: 3, delayMs: 10, factor: 2 }, fallback: 'remember' },
  )
  // Gets what `ask` got, and why that has failed. What it gives goes along the edges of `ask`.
  .node('remember', ({ input: what, failure }: NodeArguments<string>) => {
    const euros = remembered(what)
    if (euros === undefined) throw new Error(`${failure?.message}, and nobody remembers a price`)
    return { output: { what, euros, isOld: true } }
  })
  .node('tag', ({ input: { what, euros, isOld } }: NodeArguments<Price>) => ({
    output: `${what}: ${isOld ? 'about ' : ''}${euros} €`,
  }))
  .edge('ask', 'tag')
