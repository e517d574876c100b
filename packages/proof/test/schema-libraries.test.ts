/** Flows with schemas of each library as its users write them: what they take, what they make of it, what they refuse. */
import { BatonError, createFlow, FlowRuntime, type InputOf } from '@baton/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const runtime = new FlowRuntime()

const flows = {
  zod: createFlow('zod', {
    input: z.object({ id: z.string(), lines: z.array(z.object({ amount: z.coerce.number() })) }),
  })
    .node('sum', ({ input }) => ({ output: input.lines.reduce((sum, { amount }) => sum + amount, 0) }), {
      input: z.object({ lines: z.array(z.object({ amount: z.number() })) }),
      output: z.number().transform(String),
    })
    .node('show', ({ input }) => ({ output: `sum ${input}` }), { input: z.string() })
    .edge('sum', 'show'),

  valibot: createFlow('valibot', {
    input: v.object({
      id: v.string(),
      lines: v.array(v.object({ amount: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.number()) })),
    }),
  })
    .node('sum', ({ input }) => ({ output: input.lines.reduce((sum, { amount }) => sum + amount, 0) }), {
      input: v.object({ lines: v.array(v.object({ amount: v.number() })) }),
      output: v.pipe(v.number(), v.transform(String)),
    })
    .node('show', ({ input }) => ({ output: `sum ${input}` }), { input: v.string() })
    .edge('sum', 'show'),

  arktype: createFlow('arktype', {
    input: type({ id: 'string', lines: type({ amount: 'string.numeric.parse | number' }).array() }),
  })
    .node('sum', ({ input }) => ({ output: input.lines.reduce((sum, { amount }) => sum + amount, 0) }), {
      input: type({ lines: type({ amount: 'number' }).array() }),
      output: type('number').pipe(String),
    })
    .node('show', ({ input }) => ({ output: `sum ${input}` }), { input: type('string') })
    .edge('sum', 'show'),
}

describe.each(Object.entries(flows))('%s', (_, flow) => {
  it('brings the input of a run, and what nodes take and give, to what its schemas say', async () => {
    const input = { id: 'o-1', lines: [{ amount: '1.5' }, { amount: 2 }] }

    const result = await runtime.run(flow as typeof flows.zod, input)

    expect(result).toMatchObject({ status: 'completed', output: 'sum 3.5' })
  })

  it('says where an input does not fit', async () => {
    const input = { id: 'o-1', lines: [{ amount: 1 }, { amount: 'two' }] }

    const error = await runtime.run(flow as typeof flows.zod, input).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )

    expect(BatonError.is(error, 'INVALID_VALUE')).toBe(true)
    expect(error).toMatchObject({ field: 'input.lines[1].amount' })
  })
})

// The input that a run is started with is what the schema takes, before its transforms.
type Expected = { id: string; lines: { amount: string | number }[] }
const inputs: readonly [InputOf<typeof flows.valibot>, InputOf<typeof flows.arktype>] = [
  { id: '', lines: [{ amount: '1' }] } satisfies Expected,
  { id: '', lines: [{ amount: 1 }] } satisfies Expected,
]

it('types the start of a run by what the schema takes', () => {
  expect(inputs).toHaveLength(2)
  // Never called: the compiler is who reads this.
  const never = () => [
    // @ts-expect-error an id is a text
    runtime.run(flows.zod, { id: 7, lines: [] }),
    // @ts-expect-error lines are missing
    runtime.run(flows.valibot, { id: 'o-1' }),
    // @ts-expect-error an amount is a text or a number
    runtime.run(flows.arktype, { id: 'o-1', lines: [{ amount: true }] }),
    // @ts-expect-error the schema has made a text of the sum
    flows.zod.node('more', ({ input }) => ({ output: input }), { input: z.number() }).edge('sum', 'more'),
  ]
  expect(never).toBeTypeOf('function')
})
