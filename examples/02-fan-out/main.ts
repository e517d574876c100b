/** Branches that run side by side, a map with one node instance per item, and the join that waits for all of it. */
import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'

interface Line {
  readonly what: string
  readonly count: number
}

const prices: Record<string, number> = { tea: 4, cake: 3, jam: 5 }

//              ┌─► price[0] … price[n] ─┐
//   readOrder ─┤                        ├─► quote
//              └─► chooseBox ───────────┘
const quotes = createFlow<string>('quotes')
  .node('readOrder', ({ input }: NodeArguments<string>) => ({ output: input.split(', ').map(toLine) }))
  // Called once per line, on whichever worker is free. The outputs come back as a list, in the order of the lines.
  .map('price', ({ input: line }: NodeArguments<Line>) => ({ output: line.count * (prices[line.what] ?? 0) }))
  .node('chooseBox', ({ input: lines }: NodeArguments<Line[]>) => ({ output: lines.length > 2 ? 'large' : 'small' }))
  // A node with several predecessors waits for all of them, and gets their outputs by name.
  .node('quote', ({ input }: NodeArguments<{ price: number[]; chooseBox: string }>) => ({
    output: `${input.price.join(' + ')} = ${input.price.reduce((sum, price) => sum + price)} €, in a ${input.chooseBox} box`,
  }))
  .edge('readOrder', 'price')
  .edge('readOrder', 'chooseBox')
  .edge('price', 'quote')
  .edge('chooseBox', 'quote')

function toLine(text: string): Line {
  const [count, what = ''] = text.split(' ')
  return { what, count: Number(count) }
}

const result = await new FlowRuntime().run(quotes, '2 tea, 1 cake, 3 jam')

console.log(result.status === 'completed' ? result.output : result)
