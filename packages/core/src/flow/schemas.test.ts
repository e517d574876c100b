import { describe, expect, it } from 'vitest'
import { BatonClient } from '../client/client.ts'
import { JsonSerializer } from '../context/json-serializer.ts'
import { adoptForeignJob, createFromFallback } from '../engine/foreign-job.ts'
import type { NodeArguments } from '../engine/node-function.ts'
import { Registry } from '../engine/registry.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { BatonError } from '../model/errors.ts'
import { parseRunId } from '../model/ids.ts'
import type { StandardIssue, StandardResult, StandardSchemaV1 } from '../model/standard-schema.ts'
import { parseJob } from '../ports/job-queue.ts'
import { FlowRuntime } from '../runtime/flow-runtime.ts'
import { createFlow } from './create-flow.ts'
import type { SchemaOptions } from './flow-options.ts'

/** Texts that are numbers become numbers. Any library's schema would do; those of three are tried in packages/proof. */
const numeric = made<string, number>((value) =>
  typeof value === 'string' && Number.isFinite(Number(value))
    ? { value: Number(value) }
    : { issues: [{ message: 'not a number' }] },
)

function made<Input, Output>(
  validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>,
): StandardSchemaV1<Input, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

const refusing = (...issues: StandardIssue[]) => made<unknown, unknown>(() => ({ issues }))
const later = <Input, Output>(schema: StandardSchemaV1<Input, Output>) =>
  made<Input, Output>(async (value) => schema['~standard'].validate(value))

async function refusal(start: () => Promise<unknown>): Promise<BatonError> {
  try {
    await start()
  } catch (error) {
    if (BatonError.is(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('the input of a flow', () => {
  it('is checked before anything is written, and the error says where it does not fit', async () => {
    const schema = refusing(
      { message: 'too short', path: ['lines', 2, { key: 'unit price' }] },
      { message: 'missing', path: ['customer'] },
    )
    const flow = createFlow('x', { input: schema }).node('a', () => {})
    const store = new InMemoryRunStore()
    const client = new BatonClient({ store, flows: [flow] })

    const error = await refusal(() => client.start(flow, {}))

    expect(error).toMatchObject({
      code: 'INVALID_VALUE',
      field: 'input.lines[2]["unit price"]',
      message: 'input.lines[2]["unit price"]: too short; input.customer: missing',
    })
    expect((await store.list({})).runs).toEqual([])
  })

  it('tells the first issues where there are thousands', async () => {
    const issues = Array.from({ length: 1_000 }, (_, index) => ({ message: 'wrong', path: [index] }))
    const flow = createFlow('x', { input: refusing(...issues) }).node('a', () => {})

    const error = await refusal(() => new FlowRuntime().run(flow, []))

    expect(error.message).toMatch(/input\[20\]: wrong; and 979 more$/)
  })

  it.each([
    ['in this process', (flow: ReturnType<typeof doubling>) => new FlowRuntime().run(flow, '21')],
    ['by name', (flow: ReturnType<typeof doubling>) => new FlowRuntime({ flows: [flow] }).run('double', '21')],
    [
      'with functions and blueprints apart',
      ({ registry, toBlueprint }: ReturnType<typeof doubling>, flow = doubling()) =>
        new FlowRuntime({ registry, blueprints: [toBlueprint.call(flow)] }).run('double', '21'),
    ],
    [
      'with a store',
      async (flow: ReturnType<typeof doubling>) => {
        await using runtime = new FlowRuntime({ flows: [flow], store: new InMemoryRunStore() })
        return await runtime.run(flow, '21')
      },
    ],
    [
      'by a handle',
      async (flow: ReturnType<typeof doubling>) => {
        await using runtime = new FlowRuntime()
        return await (await runtime.start(flow, '21')).outcome()
      },
    ],
  ])('is what the schema makes of it, %s', async (_, run) => {
    expect(await run(doubling())).toMatchObject({ status: 'completed', output: 42 })
  })

  it('may be checked by a schema that answers later', async () => {
    const flow = createFlow('x', { input: later(numeric) }).node('a', ({ input }) => ({ output: input }))

    expect(await new FlowRuntime().run(flow, '1')).toMatchObject({ output: 1 })
    expect(await refusal(() => new FlowRuntime().run(flow, 'one'))).toMatchObject({ code: 'INVALID_VALUE' })
  })

  it('is refused by a schema that throws', async () => {
    const schema = made<unknown, unknown>(() => {
      throw new Error('a bug')
    })
    const flow = createFlow('x', { input: schema }).node('a', () => {})

    expect(await refusal(() => new FlowRuntime().run(flow))).toMatchObject({
      code: 'INVALID_VALUE',
      message: 'input: its schema threw: a bug',
    })
  })

  it('is the same run for the same input, before the schema and behind it', async () => {
    const flow = doubling()
    const client = new BatonClient({ store: new InMemoryRunStore(), flows: [flow] })

    await client.start(flow, '21', { runId: 'one' })

    expect((await client.start(flow, '21.0', { runId: 'one' })).runId).toBe('one')
    expect(await refusal(() => client.start(flow, '22', { runId: 'one' }))).toMatchObject({ code: 'RUN_EXISTS' })
  })

  it('is missing from a job that others send: its schema decides whether that will do', async () => {
    const picky = createFlow('picky', { input: numeric }).node('a', () => {})
    const easy = createFlow('easy', { input: made<unknown, number>((value) => ({ value: Number(value ?? 7) })) }).node(
      'a',
      ({ input }) => ({ output: input }),
    )
    const store = new InMemoryRunStore()
    const registry = new Registry({ flows: [picky, easy] })
    const ports = { store, registry, coordinationStore: undefined, serializer: new JsonSerializer() }
    const letters: string[] = []
    const adopt = (runId: string, blueprintId: string) =>
      adoptForeignJob(
        {
          job: parseJob({ runId, blueprintId, nodeId: 'a' }),
          redelivered: 0,
          acknowledge: async () => {},
          handBack: async () => {},
          extend: async () => {},
          deadLetter: async (reason) => void letters.push(reason),
        },
        ports,
      )

    expect(await adopt('of-picky', 'picky')).toBe('dead-lettered')
    expect(await adopt('of-easy', 'easy')).toBe(registry.latest('easy'))

    expect(letters).toEqual([expect.stringMatching(/^INVALID_VALUE: .* input: not a number$/)])
    expect(await createFromFallback(parseRunId('of-picky'), ports)).toBe(false)
    expect((await store.list({})).runs.map(({ runId }) => runId)).toEqual(['of-easy'])
    expect((await store.load(parseRunId('of-easy')))?.input).toBe(7)
  })
})

describe('the input and the output of a node', () => {
  it('are what their schemas make of them, in maps item by item', async () => {
    const flow = createFlow('x')
      .node('start', () => ({ output: ['1', '2'] }))
      .map('each', ({ input }) => ({ output: `${input * 2}` }), { input: numeric, output: numeric })
      .node('sum', ({ input }: NodeArguments<readonly number[]>) => ({ output: Math.max(...input) + 2 }))
      .edge('start', 'each')
      .edge('each', 'sum')

    expect(await new FlowRuntime().run(flow)).toMatchObject({ status: 'completed', output: 6 })
  })

  it.each([
    ['the input', { input: numeric }, 'check.input: not a number', 0],
    ['the input, later', { input: later(numeric) }, 'check.input: not a number', 0],
    ['the output', { output: numeric }, 'check.output: not a number', 1],
    ['the output, later', { output: later(numeric) }, 'check.output: not a number', 1],
  ])('fail the node for good where they do not fit: %s', async (_, schemas, message, calls) => {
    let called = 0
    const flow = createFlow('x')
      .node('start', () => ({ output: 'one' }))
      .node(
        'check',
        async () => {
          called += 1
          return { output: 'two' }
        },
        { ...(schemas as SchemaOptions<unknown, unknown, undefined>), retry: { attempts: 3, delayMs: 0 } },
      )
      .edge('start', 'check')

    const result = await new FlowRuntime().run(flow)

    expect(result).toMatchObject({ status: 'failed', error: { code: 'INVALID_VALUE', message } })
    expect(called).toBe(calls)
  })

  it('name the item of a map', async () => {
    const flow = createFlow('x').map('each', () => {}, { input: numeric, maxFailures: 0 })

    const result = await new FlowRuntime().run(flow, ['1', 'one'])

    expect(result).toMatchObject({ error: { code: 'MAP_FAILED', message: expect.stringContaining('each[1].input') } })
  })

  it('are checked where there is none, too', async () => {
    const flow = createFlow('x').node('a', () => {}, { output: numeric as StandardSchemaV1 })

    expect(await new FlowRuntime().run(flow)).toMatchObject({ error: { message: 'a.output: not a number' } })
  })

  it('leave a fallback in charge', async () => {
    const flow = createFlow('x')
      .node('a', () => ({ output: 'one' }), { output: numeric, fallback: 'spare' })
      .node('spare', ({ failure }) => ({ output: failure?.code }))

    expect(await new FlowRuntime().run(flow)).toMatchObject({ status: 'completed', output: 'INVALID_VALUE' })
  })

  it('keep the action, and are checked again on every attempt and after every wait', async () => {
    const seen: unknown[] = []
    const flow = createFlow<string>('x')
      .node(
        'a',
        async ({ input, attempt, sleep }) => {
          seen.push(input)
          await sleep(0)
          if (attempt === 1) throw new Error('once more')
          return { output: '7', action: 'on' }
        },
        { input: numeric, output: numeric, retry: { attempts: 2, delayMs: 0 } },
      )
      .node('b', ({ input }) => ({ output: input }))
      .node('c', () => ({ output: 'never' }))
      .edge('a', 'b', { action: 'on' })
      .edge('a', 'c', { action: 'off' })

    expect(await new FlowRuntime().run(flow, '3')).toMatchObject({ status: 'completed', output: 7 })
    expect(seen).toEqual([3, 3, 3])
  })

  it('do not let code begin that was cancelled while its input was being checked', async () => {
    const controller = new AbortController()
    let called = false
    const schema = made<unknown, unknown>(async (value) => {
      controller.abort('enough')
      return { value }
    })
    const flow = createFlow('x').node(
      'a',
      () => {
        called = true
      },
      { input: schema },
    )

    const result = await new FlowRuntime().run(flow, 1, { signal: controller.signal })

    expect(result).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(called).toBe(false)
  })
})

describe('schemas and their flow', () => {
  it('are no part of the blueprint, and a node without any keeps its bare function', () => {
    const bare = () => {}
    const flow = createFlow('x', { input: numeric })
      .node('a', bare)
      .node('b', () => ({ output: '1' }), { input: numeric, output: numeric })

    expect(JSON.stringify(flow.toBlueprint())).toBe(
      '{"id":"x","nodes":[{"id":"a","uses":"x/a"},{"id":"b","uses":"x/b"}],"edges":[]}',
    )
    expect(flow.registry.nodes.get('x/a')).toBe(bare)
  })

  it('let nodes share a function and its schemas, and nothing less', () => {
    const fn = () => ({ output: '1' })
    const flow = createFlow('x').node('a', fn, { uses: 'mine', input: numeric })

    const { registry } = flow.node('b', fn, { uses: 'mine', input: numeric })

    expect([...registry.nodes.keys()]).toEqual(['mine'])
    expect(() => flow.node('b', fn, { uses: 'mine' })).toThrow(/is another function already/)
    expect(() => flow.node('b', fn, { uses: 'mine', input: numeric, output: numeric })).toThrow(/another function/)
  })

  it('belong to one version: another schema of the same version is another flow', () => {
    const fn = () => {}
    const build = (input: StandardSchemaV1) => createFlow('x', { version: '1', input }).node('a', fn, { uses: 'f' })

    expect(() => new Registry({ flows: [build(numeric), build(numeric)] })).not.toThrow()
    expect(() => new Registry({ flows: [build(numeric), build(refusing())] })).toThrow(/other functions/)
  })

  it.each([
    ['of a flow', () => createFlow('x', { input: {} as never }), 'input'],
    ['that is older', () => createFlow('x', { input: { '~standard': { version: 0 } } as never }), 'input'],
    ['of a node', () => createFlow('x').node('a', () => {}, { input: null as never }), 'nodes[0].input'],
    ['of an output', () => createFlow('x').map('a', () => {}, { output: 7 as never }), 'nodes[0].output'],
  ])('are refused where they are none: %s', (_, build, field) => {
    expect(build).toThrow(expect.objectContaining({ code: 'INVALID_BLUEPRINT', field }))
  })
})

function doubling() {
  return createFlow('double', { input: numeric }).node(
    'a',
    ({ input }: NodeArguments<number>) => ({ output: input * 2 }),
    { uses: 'double' },
  )
}
