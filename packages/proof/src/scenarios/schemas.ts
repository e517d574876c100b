import { createFlow, type NodeArguments } from '@baton/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import type { Scenario } from './scenario.ts'

/** Each library brings the same order from texts to values in its own way. */
const zodOrder = z.object({ id: z.string().min(1), amount: z.coerce.number(), on: z.coerce.date() })
const valibotAmount = v.pipeAsync(
  v.object({ amount: v.number() }),
  v.checkAsync(async ({ amount }) => amount > 0, 'nothing to charge'),
  v.transform(({ amount }) => ({ cents: amount * 100 })),
)
const arkTotal = type({ cents: 'number.integer' })

/** What values must be, said by schemas: the same answer wherever the node runs. */
export const schemas: readonly Scenario[] = [
  {
    name: 'what schemas make of an input and an output is what counts, by three libraries',
    flow: () =>
      createFlow('schemas', { input: zodOrder })
        .node('read', ({ input }: NodeArguments<z.output<typeof zodOrder>>) => ({
          output: { amount: input.amount, year: input.on.getUTCFullYear() },
        }))
        .node('charge', ({ input }) => ({ output: { cents: input.cents, currency: 'EUR' } }), {
          input: valibotAmount,
          output: arkTotal,
        })
        .edge('read', 'charge'),
    input: { id: 'o-1', amount: '12.5', on: '2026-01-05' },
    expect: { status: 'completed', output: { cents: 1250, currency: 'EUR' } },
  },
  {
    name: 'an input that does not fit the schema of its node fails it at once, however many attempts it has',
    flow: () =>
      createFlow<number>('schema-input')
        .node('price', ({ input }: NodeArguments<number>) => ({ output: { amount: input } }))
        .node('charge', ({ input }) => ({ output: input.cents }), {
          input: valibotAmount,
          retry: { attempts: 3, delayMs: 1 },
        })
        .edge('price', 'charge'),
    input: 0,
    expect: {
      status: 'failed',
      error: { code: 'INVALID_VALUE', message: 'charge.input: nothing to charge' },
    },
  },
  {
    name: 'an output that does not fit the schema of its node is not committed, nor what came with it',
    flow: () =>
      createFlow('schema-output').node(
        'total',
        async ({ context }) => {
          await context.set('seen', true)
          return { output: { cents: 0.5 } }
        },
        { output: arkTotal, retry: { attempts: 3, delayMs: 1 } },
      ),
    expect: {
      status: 'failed',
      error: { code: 'INVALID_VALUE', message: 'total.output.cents: cents must be an integer (was 0.5)' },
      // Not there.
      context: { seen: null },
    },
  },
  {
    name: 'an item that does not fit leaves its place empty where its map allows failures',
    flow: () =>
      createFlow<unknown[]>('schema-items').map('each', ({ input }) => ({ output: input * 2 }), {
        input: z.number(),
        maxFailures: 1,
      }),
    input: [1, 'two', 3],
    expect: { status: 'completed', output: [2, null, 6], instances: { 'each[1]': 'failed' } },
  },
]
