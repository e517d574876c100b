import { createFlow, type NodeArguments } from '@baton/core'
import type { Scenario } from './scenario.ts'

const pass = ({ input }: NodeArguments) => ({ output: input ?? null })

const WHEN = new Date('2026-01-05T09:00:00.000Z')

/** Maps, context and values: what a run carries. */
export const data: readonly Scenario[] = [
  {
    name: 'a map runs over a list and gives its outputs in the order of the list',
    flow: () =>
      createFlow<string[]>('map')
        .map('each', ({ input, itemIndex }: NodeArguments<string>) => ({ output: `${itemIndex}:${input}` }), {
          concurrency: 2,
        })
        .node('after', pass)
        .edge('each', 'after'),
    input: ['a', 'b', 'c', 'd', 'e'],
    expect: { status: 'completed', output: ['0:a', '1:b', '2:c', '3:d', '4:e'] },
  },
  {
    name: 'a map over nothing gives nothing',
    flow: () => createFlow<string[]>('map-of-none').map('each', () => ({ output: 1 })),
    input: [],
    expect: { status: 'completed', output: [] },
  },
  {
    name: 'a map with as many failures as it allows leaves their places empty',
    flow: () =>
      createFlow<number[]>('map-failures').map(
        'each',
        ({ input }: NodeArguments<number>) => {
          if (input < 0) throw new Error(`${input} is negative`)
          return { output: input * 10 }
        },
        { maxFailures: 2, concurrency: 3 },
      ),
    input: [1, -2, 3, -4],
    expect: {
      status: 'completed',
      output: [10, null, 30, null],
      instances: { 'each[1]': 'failed', 'each[2]': 'succeeded' },
    },
  },
  {
    name: 'a map with one failure more than it allows fails, and names the first',
    flow: () =>
      createFlow<number[]>('map-fails').map(
        'each',
        ({ input }: NodeArguments<number>) => {
          if (input < 0) throw new Error(`${input} is negative`)
          return { output: input }
        },
        { concurrency: 1 },
      ),
    input: [1, -2, 3],
    expect: {
      status: 'failed',
      error: { code: 'MAP_FAILED' },
      instances: { 'each[0]': 'succeeded', 'each[1]': 'failed' },
    },
  },
  {
    name: 'items of a map are tried again by themselves',
    flow: () =>
      createFlow<number[]>('map-retries').map(
        'each',
        ({ input, attempt }: NodeArguments<number>) => {
          if (attempt <= input) throw new Error('again')
          return { output: attempt }
        },
        { retry: { attempts: 3, delayMs: 5, jitter: 0 } },
      ),
    input: [0, 1, 2],
    expect: { status: 'completed', output: [1, 2, 3] },
  },
  {
    name: 'nested places of the context are changed by path, by several branches, and nothing is lost',
    flow: () =>
      createFlow('paths')
        .node('a', async ({ context }: NodeArguments) => {
          await context.set('order', 'né', { path: ['customer', 'name'] })
          await context.increment('order', 2, { path: ['totals', 'count'] })
          await context.append('order', ['a'], { path: ['log'] })
        })
        .node('b', async ({ context }: NodeArguments) => {
          await context.increment('order', 3, { path: ['totals', 'count'] })
          await context.merge('order', { b: true }, { path: ['flags'] })
          await context.append('order', ['b'], { path: ['log'] })
        })
        .node('join', async ({ context }: NodeArguments) => {
          const order = await context.get<{ totals: unknown; log: string[]; flags: unknown }>('order')
          await context.delete('order', { path: ['flags'] })
          await context.set('order', 'A', { path: ['log', '0'] })
          return { output: { totals: order?.totals, entries: order?.log.length, flags: order?.flags } }
        })
        .edge('a', 'join')
        .edge('b', 'join'),
    start: { context: { order: { totals: { count: 1 } }, untouched: [1] } },
    expect: { status: 'completed', output: { totals: { count: 6 }, entries: 2, flags: { b: true } } },
  },
  {
    name: 'a change that does not fit the context fails the attempt with DELTA_CONFLICT',
    flow: () =>
      createFlow('conflict').node('a', async ({ context }: NodeArguments) => {
        await context.increment('text', 1)
      }),
    start: { context: { text: 'x' } },
    expect: { status: 'failed', error: { code: 'DELTA_CONFLICT' }, context: { text: 'x' } },
  },
  {
    name: 'dates, maps, sets, big numbers and bytes come through input, context, steps and outputs',
    flow: () =>
      createFlow<{ when: Date; ids: Set<number> }>('rich')
        .node('a', async ({ input, context, step }: NodeArguments<{ when: Date; ids: Set<number> }>) => {
          await context.set('map', new Map([['big', 2n ** 70n]]))
          const bytes = await step('bytes', () => new Uint8Array([1, 2, 3]))
          return { output: { year: input.when.getUTCFullYear(), size: input.ids.size, bytes } }
        })
        .node('b', async ({ input, context }: NodeArguments<{ bytes: Uint8Array }>) => {
          const map = await context.get<Map<string, bigint>>('map')
          return {
            output: {
              ...input,
              when: WHEN,
              big: map?.get('big'),
              sum: input.bytes.reduce((sum, byte) => sum + byte, 0),
            },
          }
        })
        .edge('a', 'b'),
    input: { when: WHEN, ids: new Set([1, 2, 2]) },
    expect: {
      status: 'completed',
      output: { year: 2026, size: 2, bytes: new Uint8Array([1, 2, 3]), when: WHEN, big: 2n ** 70n, sum: 6 },
    },
  },
]
