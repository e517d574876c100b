/** What a test knows of the flow that it is about. Checked by the compiler; nothing runs. */
import { createFlow, type NodeArguments } from '@baton/core'
import { crashEverywhere, testFlow } from '../../src/flow/index.ts'

interface Order {
  readonly euros: number
}

const flow = createFlow<Order>('orders')
  .node('check', ({ input }: NodeArguments<Order>) => ({ output: input.euros > 0 }))
  .map('send', ({ input }: NodeArguments<string>) => ({ output: input.length }))

const test = testFlow(flow, {
  nodes: {
    check: ({ input }) => ({ output: input.euros > 1 }),
    send: ({ input }: NodeArguments<string>) => ({ output: input.length }),
  },
})

// @ts-expect-error its runs want an input
await test.start()
// @ts-expect-error which is an order
await test.start('7 €')
await test.start({ euros: 7 }, { deadlineMs: 5 })
const run = await test.start({ euros: 7 })

run.journal.ran('check').ran('send[2]').ran('check#2').order(['check', 'send[0]'])
// @ts-expect-error there is no such node
run.journal.ran('chekc')

const euros: number | undefined = test.calls('check')[0]?.input.euros
// @ts-expect-error it takes an order
const text: string | undefined = test.calls('check')[0]?.input
// @ts-expect-error there is no such node
test.calls('chekc')

// @ts-expect-error its output is no text
test.stub({ check: () => ({ output: 'yes' }) })
// @ts-expect-error there is no such node
test.stub({ chekc: () => ({}) })

const any = createFlow('any').node('a', () => ({}))
await testFlow(any).start()

await crashEverywhere(flow, async (each) => {
  // @ts-expect-error its runs want an input here, too
  await each.run()
})

export { euros, text }
