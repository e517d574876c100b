/** Runs that go on as new ones. Their news comes while they do. */
import { createFlow, type NodeArguments } from '@baton/core'
import { PATIENT } from './common-nodes.ts'
import { leaf } from './families.ts'
import type { News } from './kind.ts'
import { say } from './node-code.ts'

/** What a link hands to the next. */
interface Link {
  readonly left: number
  readonly heard: readonly number[]
}

const NEWS_PER_LINK = 2
const linksOf = (input: number) => 2 + (input % 3)

/** Counts what it hears, in order, over all links: news that was lost, doubled or overtaken shows in the output. */
export const chain = createFlow<number | Link>('chain', { concurrency: { limit: 8 } }).node(
  'link',
  async (args: NodeArguments<number | Link>) => {
    await say(args)
    const { input } = args
    const { left, heard } = typeof input === 'number' ? { left: linksOf(input), heard: [] } : input
    // Left to itself, it goes along with whoever goes on.
    await args.startChild(leaf, left)
    const news = [...heard]
    for (let count = 0; count < NEWS_PER_LINK; count++) news.push(await args.waitForSignal<number>('news'))
    if (left > 1) return args.continueAsNew({ left: left - 1, heard: news })
    return { output: news.join(' ') }
  },
  PATIENT,
)

export function newsOf(input: number): readonly News[] {
  const count = linksOf(input) * NEWS_PER_LINK
  return Array.from({ length: count }, (_, index) => ({ name: 'news', payload: index, signalId: `news-${index}` }))
}
