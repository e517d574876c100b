import { BatonError, createFlow, type ErrorCode, FlowRuntime, type RunId, type StartOptions } from '@baton/core'
import { Registry } from '@baton/core/adapter'
import { expect } from 'vitest'
import { Crew } from '../crew.ts'
import type { Stage } from '../stage.ts'
import type { Case, Suite } from '../suite.ts'

const a = { id: 'a', uses: 'work' }
const b = { id: 'b', uses: 'work' }

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

class Thing {
  readonly x = 1
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = { value }
  return value
}

interface BadBlueprint {
  readonly what: string
  readonly blueprint: unknown
  readonly code: ErrorCode
  readonly field: string
}

const BLUEPRINTS: readonly BadBlueprint[] = [
  {
    what: 'an unknown `uses`',
    blueprint: { id: 'f', nodes: [{ id: 'a', uses: 'nobody' }], edges: [] },
    code: 'UNKNOWN_NODE_FUNCTION',
    field: 'nodes[0].uses',
  },
  {
    what: '`constructor` as its `uses`',
    blueprint: { id: 'f', nodes: [{ id: 'a', uses: 'constructor' }], edges: [] },
    code: 'UNKNOWN_NODE_FUNCTION',
    field: 'nodes[0].uses',
  },
  {
    what: 'an unknown condition',
    blueprint: { id: 'f', nodes: [a, b], edges: [{ source: 'a', target: 'b', condition: '1 === 1' }] },
    code: 'UNKNOWN_NODE_FUNCTION',
    field: 'edges[0].condition',
  },
  {
    what: 'a dangling edge',
    blueprint: { id: 'f', nodes: [a], edges: [{ source: 'a', target: 'b' }] },
    code: 'INVALID_BLUEPRINT',
    field: 'edges[0].target',
  },
  {
    what: 'a duplicate id',
    blueprint: { id: 'f', nodes: [a, b, a], edges: [] },
    code: 'INVALID_BLUEPRINT',
    field: 'nodes[2].id',
  },
  {
    what: 'an undeclared cycle',
    blueprint: {
      id: 'f',
      nodes: [a, b],
      edges: [
        { source: 'a', target: 'b' },
        { source: 'b', target: 'a' },
      ],
    },
    code: 'INVALID_BLUEPRINT',
    field: 'edges[1]',
  },
  { what: 'no nodes', blueprint: { id: 'f', nodes: [], edges: [] }, code: 'INVALID_BLUEPRINT', field: 'nodes' },
  {
    what: 'a path as its id',
    blueprint: { id: '../f', nodes: [a], edges: [] },
    code: 'INVALID_BLUEPRINT',
    field: 'id',
  },
  {
    what: 'a misspelt policy',
    blueprint: { id: 'f', nodes: [{ ...a, config: { retries: 3 } }], edges: [] },
    code: 'INVALID_BLUEPRINT',
    field: 'nodes[0].config.retries',
  },
  {
    what: 'a node called `__proto__`',
    blueprint: { id: 'f', nodes: [{ id: '__proto__', uses: 'work' }], edges: [] },
    code: 'INVALID_BLUEPRINT',
    field: 'nodes[0].id',
  },
  {
    what: 'a member called `__proto__`',
    blueprint: JSON.parse('{"id":"f","nodes":[{"id":"a","uses":"work","params":{"__proto__":1}}],"edges":[]}'),
    code: 'FORBIDDEN_KEY',
    field: 'nodes[0].params.__proto__',
  },
]

interface BadStart {
  readonly what: string
  readonly input?: unknown
  readonly options?: StartOptions
  readonly code: ErrorCode
  readonly field: string
}

const STARTS: readonly BadStart[] = [
  { what: 'a run id with `../`', options: { runId: '../x' }, code: 'INVALID_ID', field: 'runId' },
  { what: 'a run id with NUL', options: { runId: 'a\0b' }, code: 'INVALID_ID', field: 'runId' },
  { what: 'a run id of 4 KB', options: { runId: 'x'.repeat(4_096) }, code: 'INVALID_ID', field: 'runId' },
  { what: 'the run id `__proto__`', options: { runId: '__proto__' }, code: 'INVALID_ID', field: 'runId' },
  { what: 'an empty run id', options: { runId: '' }, code: 'INVALID_ID', field: 'runId' },
  {
    what: 'an empty idempotency key',
    options: { idempotencyKey: '' },
    code: 'INVALID_ID',
    field: 'idempotencyKey',
  },
  {
    what: 'a function in its input',
    input: { deep: [{ callback: () => {} }] },
    code: 'INVALID_VALUE',
    field: 'input.deep[0].callback',
  },
  { what: 'a class instance in its input', input: { thing: new Thing() }, code: 'INVALID_VALUE', field: 'input.thing' },
  { what: 'a cycle in its input', input: cyclic, code: 'INVALID_VALUE', field: 'input.self' },
  { what: 'an input that is nested too deep', input: nested(100), code: 'INVALID_VALUE', field: 'input' },
  {
    what: '`__proto__` as a key of its input',
    input: JSON.parse('{"x":{"__proto__":{"polluted":1}}}'),
    code: 'FORBIDDEN_KEY',
    field: 'input.x.__proto__',
  },
  {
    what: 'a symbol as a context value',
    options: { context: { bad: Symbol('s') } },
    code: 'INVALID_VALUE',
    field: 'context.bad',
  },
  {
    what: '`__proto__` as a context key',
    options: { context: JSON.parse('{"__proto__":1}') },
    code: 'FORBIDDEN_KEY',
    field: 'context',
  },
  {
    what: 'a context key of 4 KB',
    options: { context: { ['k'.repeat(4_096)]: 1 } },
    code: 'INVALID_ID',
    field: 'context',
  },
  { what: 'an empty context key', options: { context: { '': 1 } }, code: 'INVALID_ID', field: 'context' },
  {
    what: 'a deadline that is no number',
    options: { deadlineMs: Number.NaN },
    code: 'INVALID_OPTION',
    field: 'deadlineMs',
  },
  { what: 'a start before all time', options: { startAtMs: -1 }, code: 'INVALID_OPTION', field: 'startAtMs' },
  { what: 'a priority beyond reason', options: { priority: 1e9 }, code: 'INVALID_OPTION', field: 'priority' },
  { what: 'an empty tag', options: { tags: ['ok', ''] }, code: 'INVALID_OPTION', field: 'tags[1]' },
  { what: 'a version that nobody has', options: { version: '9' }, code: 'UNKNOWN_FLOW', field: 'flowId' },
]

/** Whatever was refused: a stable code, the field's name, a hint, and nothing written. */
async function expectRefusal(stage: Stage, work: () => unknown, code: ErrorCode, field: string): Promise<void> {
  const refusal = await (async () => work())().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(BatonError.is(refusal), `${code} was expected, not ${String(refusal)}`).toBe(true)
  const { code: given, field: place, hint, retryable } = refusal as BatonError
  expect([given, retryable]).toEqual([code, false])
  expect(place).toEqual(expect.stringContaining(field))
  expect(hint.length).toBeGreaterThan(0)
  expect(await stage.store.list()).toEqual({ runs: [] })
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
}

const okay = createFlow('okay').node('a', ({ input }) => ({ output: input }))

const badBlueprints: Case[] = BLUEPRINTS.map(({ what, blueprint, code, field }) => ({
  title: `a blueprint with ${what} is refused whole, with ${code} and the field`,
  run: (stage) =>
    expectRefusal(
      stage,
      () => new Registry({ registry: { work: () => undefined }, blueprints: [blueprint as never] }),
      code,
      field,
    ),
}))

const badStarts: Case[] = STARTS.map(({ what, input, options, code, field }) => ({
  title: `a start with ${what} is refused whole, with ${code} and the field, with a store and without`,
  async run(stage) {
    await using crew = new Crew(stage, okay)
    await expectRefusal(stage, () => crew.client.start('okay', input, options), code, field)
    await expectRefusal(stage, () => new FlowRuntime({ flows: [okay] }).run('okay', input, options), code, field)
  },
}))

/** What a node may hand back and must not, and where that shows. */
const RETURNS: readonly { readonly what: string; readonly output: unknown; readonly code: ErrorCode }[] = [
  { what: 'a function', output: () => {}, code: 'INVALID_VALUE' },
  { what: 'a class instance', output: { thing: new Thing() }, code: 'INVALID_VALUE' },
  { what: 'a cycle', output: cyclic, code: 'INVALID_VALUE' },
  { what: '`__proto__`', output: JSON.parse('{"__proto__":1}'), code: 'FORBIDDEN_KEY' },
]

const badReturns: Case[] = RETURNS.map(({ what, output, code }) => ({
  title: `a node that returns ${what} fails with ${code}, and what it wrote to the context is dropped`,
  async run(stage) {
    const flow = createFlow('returns').node('a', async ({ context }) => {
      await context.set('k', 1)
      return { output }
    })
    await using crew = new Crew(stage, flow)
    crew.worker()

    const handle = await crew.client.start('returns')

    expect(await crew.outcome(handle)).toMatchObject({ status: 'failed', error: { code } })
    expect((await handle.record()).context).toEqual({})
    expect(await new FlowRuntime({ flows: [flow] }).run('returns')).toMatchObject({ status: 'failed', error: { code } })
  },
}))

export const p9: Suite = {
  name: 'P9: bad input is refused whole, with an error that names the field',
  cases: [
    ...badBlueprints,
    ...badStarts,
    ...badReturns,
    {
      title: 'a run is not started twice under one id with different inputs, and the first stays as it was',
      async run(stage) {
        await using crew = new Crew(stage, okay)
        const handle = await crew.client.start('okay', 1, { runId: 'one' })
        const before = await stage.hand().everything(handle.runId)

        await expect(crew.client.start('okay', 2, { runId: 'one' })).rejects.toMatchObject({
          code: 'RUN_EXISTS',
          field: 'runId',
        })
        expect((await crew.client.start('okay', 1, { runId: 'one' })).runId).toBe('one')

        expect(await stage.hand().everything(handle.runId)).toEqual(before)
      },
    },
    {
      title: 'bad news for a run is refused, and changes nothing: names, ids, payloads',
      async run(stage) {
        await using crew = new Crew(stage, okay)
        const handle = await crew.client.start('okay', 1)
        const before = await stage.hand().everything(handle.runId)

        await expect(handle.signal('../x')).rejects.toMatchObject({ code: 'INVALID_ID', field: 'signal' })
        await expect(handle.signal('ok', () => {})).rejects.toMatchObject({ code: 'INVALID_VALUE', field: 'payload' })
        await expect(handle.approve()).rejects.toMatchObject({ code: 'UNKNOWN_APPROVAL' })
        const stranger = crew.client.get('nobody')
        await expect(stranger.signal('ok')).rejects.toMatchObject({ code: 'UNKNOWN_RUN', field: 'runId' })
        await expect(stranger.cancel()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        await expect(stranger.status()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
        expect(() => crew.client.get('a/b')).toThrow(expect.objectContaining({ code: 'INVALID_ID' }))

        expect(await stage.hand().everything(handle.runId)).toEqual(before)
        expect(await stage.store.load('nobody' as RunId)).toBeUndefined()
      },
    },
    {
      title: 'a node that writes a bad key or value to the context gets the error, and may go on',
      async run(stage) {
        const codes: unknown[] = []
        const tries = (write: () => Promise<void>) =>
          write().catch((error: unknown) => codes.push(BatonError.is(error) ? [error.code, error.field] : error))
        const flow = createFlow('writes').node('a', async ({ context }) => {
          await tries(() => context.set('__proto__', 1))
          await tries(() => context.set('k', 1, { path: ['constructor'] }))
          await tries(() => context.set('', 1))
          await tries(() => context.set('k', Symbol('s')))
          await tries(() => context.increment('n', Number.NaN))
          await context.set('fine', true)
        })
        await using crew = new Crew(stage, flow)
        crew.worker()

        const handle = await crew.client.start('writes')

        expect(await crew.outcome(handle)).toMatchObject({ status: 'completed' })
        expect(codes.map((each) => (each as unknown[])[0])).toEqual([
          'FORBIDDEN_KEY',
          'FORBIDDEN_KEY',
          'INVALID_ID',
          'INVALID_VALUE',
          'INVALID_VALUE',
        ])
        expect((await handle.record()).context).toEqual({ fine: true })
      },
    },
  ],
}
