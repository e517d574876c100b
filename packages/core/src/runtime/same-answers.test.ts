/** What a run answers must not depend on whether a store encodes its values. */
import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, type FlowRuntimeOptions, InMemoryRunStore, type NodeArguments } from '../index.ts'

const ways: [string, () => FlowRuntimeOptions][] = [
  ['without a store', () => ({})],
  ['with copies', () => ({ copyValues: true })],
  ['with a store', () => ({ store: new InMemoryRunStore() })],
]

describe.each(ways)('a run %s', (_, optionsOf) => {
  it.each([
    ['a Date', new Date(0)],
    ['a Map', new Map([['a', 1]])],
  ])('lets no path lead into %s of its context', async (_what, value) => {
    await using runtime = new FlowRuntime(optionsOf())
    const writes = [
      ({ context }: NodeArguments) => context.merge('m', { a: 1 }),
      ({ context }: NodeArguments) => context.set('m', 1, { path: ['a'] }),
    ]
    for (const [index, write] of writes.entries()) {
      const flow = createFlow(`x${index}`).node('a', write)
      expect(await runtime.run(flow, undefined, { context: { m: value } })).toMatchObject({
        status: 'failed',
        error: { code: 'DELTA_CONFLICT' },
      })
    }
  })

  it('asks the conditions on the edges of a map, for its list of outputs', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const areDays = (output: unknown) => (output as unknown[]).every((day) => day instanceof Date)
    const flow = createFlow('x')
      .node('list', ({ input }) => ({ output: input }))
      .map('days', ({ input }: NodeArguments<number>) => ({ output: new Date(input) }))
      .node('two', () => ({ output: 'two' }))
      .node('none', () => ({ output: 'none' }))
      .node('named', () => ({ output: 'named' }))
      .edge('list', 'days')
      .edge('days', 'two', { condition: ({ output }) => areDays(output) && (output as Date[]).length === 2 })
      .edge('days', 'none', { condition: ({ output }) => (output as Date[]).length === 0 })
      .edge('days', 'named', { action: 'left' })

    expect(await runtime.run(flow, [1, 2])).toMatchObject({ output: 'two' })
    expect(await runtime.run(flow, [])).toMatchObject({ output: 'none' })
  })

  it.each([
    ['undefined', () => undefined],
    ['a number', () => 0],
    ['a promise', async () => false],
    ['a promise that fails', () => Promise.reject(new Error('later'))],
  ])('takes %s of a condition for neither yes nor no', async (_what, answer) => {
    await using runtime = new FlowRuntime(optionsOf())
    const ran: string[] = []
    const flow = createFlow('x')
      .node('a', () => ({ output: 1 }), { retry: { attempts: 3 } })
      .node('b', () => void ran.push('b'))
      .edge('a', 'b', { condition: answer as never })

    expect(await runtime.run(flow)).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_VALUE', message: expect.stringContaining('the condition of edge a->b gave') },
    })
    expect(ran).toEqual([])
  })

  it('lets no transform give a promise', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const flow = createFlow('x')
      .node('a', () => ({ output: 1 }))
      .node('b', ({ input }) => ({ output: input }))
      .edge('a', 'b', { transform: async () => Promise.reject(new Error('later')) })

    expect(await runtime.run(flow)).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_VALUE', message: expect.stringContaining('the transform of edge a->b gave a promise') },
    })
  })

  it('takes undefined for no value', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const flow = createFlow('x', {}).node('a', async ({ context }: NodeArguments) => {
      await context.set('k', 1)
      await context.set('k', undefined)
      await context.set('o', { a: 1, b: 2 })
      await context.set('o', undefined, { path: ['a'] })
      return { output: [await context.has('k'), await context.get('o')] }
    })
    expect(await runtime.run(flow)).toMatchObject({ output: [false, { b: 2 }] })
    const guarded = createFlow('y').node('a', ({ context }: NodeArguments) =>
      context.set('k', undefined, { ifVersion: 0 }),
    )
    expect(await runtime.run(guarded)).toMatchObject({ status: 'failed', error: { code: 'INVALID_VALUE' } })
  })

  it('leaves out of an input what its source does not have', async () => {
    await using runtime = new FlowRuntime(optionsOf())
    const flow = createFlow('x').node('a', ({ input }: NodeArguments<object>) => ({ output: Object.keys(input) }), {
      inputs: { there: { run: true, path: ['a'] }, missing: { run: true, path: ['b'] }, absent: { context: 'c' } },
    })
    expect(await runtime.run(flow, { a: 1 })).toMatchObject({ output: ['there'] })
  })
})
