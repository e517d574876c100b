import { describe, expect, it } from 'vitest'
import { createFlow } from '../flow/create-flow.ts'
import type { Blueprint } from '../model/blueprint.ts'
import { BatonError } from '../model/errors.ts'
import { type FlowSources, type FunctionRegistry, Registry } from './registry.ts'

const fn = () => undefined

function blueprint(id: string, { version, uses = 'work' }: { version?: string; uses?: string } = {}): Blueprint {
  return { id, ...(version === undefined ? {} : { metadata: { version } }), nodes: [{ id: 'a', uses }], edges: [] }
}

const functions = (names: readonly string[] = ['work']): FunctionRegistry => ({
  nodes: new Map(names.map((name) => [name, fn])),
  conditions: new Map(),
  transforms: new Map(),
})

const flow = (data: Blueprint) => ({ toBlueprint: () => data, registry: functions() })

function refusal(build: () => unknown): BatonError {
  try {
    build()
  } catch (error) {
    if (BatonError.is(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('a registry is made of', () => {
  const sources: readonly (readonly [what: string, sources: FlowSources])[] = [
    ['flows', { flows: [flow(blueprint('x'))] }],
    ['functions by name and a list of blueprints', { registry: { work: fn }, blueprints: [blueprint('x')] }],
    ['functions by name and blueprints by name', { registry: { work: fn }, blueprints: { any: blueprint('x') } }],
    ['the maps that a flow has', { registry: functions(), blueprints: [blueprint('x')] }],
    ['all of it together', { flows: [flow(blueprint('x'))], registry: { work: fn }, blueprints: [blueprint('x')] }],
  ]

  it.each(sources)('%s', (_what, given) => {
    const registry = new Registry(given)

    expect(registry.toStart('x').starts).toEqual(['a'])
    expect(registry.toStart('x').nodes.get('a')?.fn).toBe(fn)
    expect(registry.graphs()).toHaveLength(1)
  })
})

describe('a registry', () => {
  it('refuses two flows of one id and blueprint with different functions: runs would go on in the other', () => {
    const made = (output: number) => createFlow('x').node('a', () => ({ output }))
    const registry = new Registry({ flows: [made(1)] })

    expect(refusal(() => registry.addFlow(made(2)))).toMatchObject({
      code: 'VERSION_CONFLICT',
      hint: expect.stringContaining('Build a flow once'),
    })
    const same = () => true
    const edged = (condition: () => boolean) =>
      createFlow('y').node('a', fn).node('b', fn).edge('a', 'b', { condition })
    registry.addFlow(edged(same))
    expect(registry.addFlow(edged(same)).flowId).toBe('y')
    expect(refusal(() => registry.addFlow(edged(() => true))).code).toBe('VERSION_CONFLICT')
  })

  it('finds the version that a run was started with, and no other', () => {
    const registry = new Registry({
      registry: { work: fn },
      blueprints: [blueprint('x', { version: '1' }), blueprint('x', { version: '2' }), blueprint('y')],
    })

    expect(registry.find('x', '1')?.version).toBe('1')
    expect(registry.find('x', '3')).toBeUndefined()
    expect(registry.find('x', undefined)?.version).toBe('2') // a run without a version takes what is here
    expect(registry.find('y', undefined)?.flowId).toBe('y')
    expect(registry.find('z', undefined)).toBeUndefined()
  })

  it('starts runs with the version that was added last, unless one is named', () => {
    const registry = new Registry({
      registry: { work: fn },
      blueprints: [blueprint('x', { version: '2' }), blueprint('x', { version: '1' })],
    })

    expect(registry.toStart('x').version).toBe('1')
    expect(registry.toStart('x', '2').version).toBe('2')
  })

  it('takes the same blueprint twice as once, whatever the order of its members', () => {
    const registry = new Registry({ registry: { work: fn } })

    const graph = registry.add({ id: 'x', nodes: [{ id: 'a', uses: 'work' }], edges: [] })

    expect(registry.add({ edges: [], nodes: [{ uses: 'work', id: 'a' }], id: 'x' })).toBe(graph)
    expect(registry.add(graph.blueprint)).toBe(graph)
  })

  it('refuses one version with two contents, and keeps the first', () => {
    const registry = new Registry({ registry: { work: fn, other: fn }, blueprints: [blueprint('x', { version: '1' })] })

    const error = refusal(() => registry.add(blueprint('x', { version: '1', uses: 'other' })))

    expect(error).toMatchObject({ code: 'VERSION_CONFLICT', field: 'x@1' })
    expect(registry.toStart('x').blueprint.nodes[0]?.uses).toBe('work')
  })

  it('names the place of a function that is not there, and keeps nothing of that blueprint', () => {
    const registry = new Registry({ registry: { work: fn } })
    const two = (edge: object) => ({
      id: 'x',
      nodes: ['a', 'b'].map((id) => ({ id, uses: 'work' })),
      edges: [{ source: 'a', target: 'b', ...edge }],
    })

    expect(refusal(() => registry.add(blueprint('x', { uses: 'gone' })))).toMatchObject({
      code: 'UNKNOWN_NODE_FUNCTION',
      field: 'nodes[0].uses',
    })
    expect(refusal(() => registry.add(two({ condition: 'work' }))).field).toBe('edges[0].condition')
    expect(refusal(() => registry.add(two({ transform: 'work' }))).field).toBe('edges[0].transform')
    expect(refusal(() => registry.add({ id: 'x' } as Blueprint)).code).toBe('INVALID_BLUEPRINT')
    expect(registry.graphs()).toEqual([])
    expect(registry.find('x', undefined)).toBeUndefined()
  })

  it('looks names up in maps: what every object has is no function of ours', () => {
    const registry = new Registry({ registry: { work: fn } })

    for (const uses of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(refusal(() => registry.add(blueprint('x', { uses }))).code).toBe('UNKNOWN_NODE_FUNCTION')
      expect(refusal(() => registry.toStart(uses)).code).toBe('UNKNOWN_FLOW')
    }
  })

  it('runs each version with its own functions, even where both use the same names', () => {
    const older = async () => ({ output: 'older' })
    const newer = async () => ({ output: 'newer' })
    const registry = new Registry({
      flows: [
        createFlow('pay', { version: '1' }).node('a', older),
        createFlow('pay', { version: '2' }).node('a', newer),
      ],
    })

    expect(registry.find('pay', '1')?.nodes.get('a')?.fn).toBe(older)
    expect(registry.find('pay', '2')?.nodes.get('a')?.fn).toBe(newer)
  })

  it('keeps the code it has when a flow is refused for its version', () => {
    const registry = new Registry({ flows: [createFlow('pay', { version: '1' }).node('a', fn)] })
    const other = createFlow('pay', { version: '1' })
      .node('a', async () => ({ output: 'other' }))
      .node('b', fn)

    expect(refusal(() => registry.addFlow(other)).code).toBe('VERSION_CONFLICT')
    expect(registry.find('pay', '1')?.nodes.get('a')?.fn).toBe(fn)
  })

  it('says which flows it knows when it is asked for another', () => {
    const registry = new Registry({ registry: { work: fn }, blueprints: [blueprint('x'), blueprint('b')] })

    expect(refusal(() => registry.toStart('y')).message).toMatch(/y is not registered here; known: b, x$/)
    expect(refusal(() => registry.toStart('x', '7')).message).toMatch(/x@7/)
    expect(refusal(() => new Registry({}).toStart('x')).message).toMatch(/known: none$/)
    expect(refusal(() => registry.toStart('x', '7')).message).toMatch(/x@7 is not registered here; known: x[@ ]/)
  })
})
