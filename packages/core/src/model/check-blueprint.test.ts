import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkBlueprint } from './check-blueprint.ts'
import { BatonError } from './errors.ts'

const node = (id: string, config?: object) => ({ id, uses: `do-${id}`, ...(config === undefined ? {} : { config }) })
const edge = (source: string, target: string, more: object = {}) => ({ source, target, ...more })
const line = (...ids: string[]) => ids.slice(1).map((id, index) => edge(ids[index] as string, id))

/** A flow of a, b and c in a line, with some of its members replaced. */
const flow = (members: object = {}) => ({
  id: 'flow',
  nodes: [node('a'), node('b'), node('c')],
  edges: line('a', 'b', 'c'),
  ...members,
})
/** The same, with this config on its last node. */
const configured = (config: unknown) => flow({ nodes: [node('a'), node('b'), { id: 'c', uses: 'do-c', config }] })

function refusal(data: unknown): BatonError {
  try {
    checkBlueprint(data)
  } catch (error) {
    if (BatonError.is(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('checkBlueprint accepts', () => {
  it('every member there is, and gives back an equal copy', () => {
    const blueprint = {
      id: 'orders',
      metadata: { version: '1.2.0', description: 'all of it\nin two lines' },
      policy: { failFast: false, deadlineMs: 60_000 },
      nodes: [
        { id: 'a', uses: 'any text: even this!', params: { prompt: 'x', deep: [{ y: [null, 1.5, false] }] } },
        node('b', {
          retry: { attempts: 3, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: 1, errors: ['NODE_TIMEOUT'] },
        }),
        node('c', {
          joinStrategy: 'any',
          anyFailure: 'ignore',
          cancelLosers: true,
          timeoutMs: Number.MAX_SAFE_INTEGER,
          maxLostLeases: 0,
          fallback: 'd',
          map: { concurrency: 1, maxFailures: 0 },
          reads: ['key'],
          inputs: {
            one: { node: 'a', path: ['x', '0'] },
            two: { run: true },
            three: { context: 'key', path: [] },
            four: { value: [1] },
          },
        }),
        node('d', { retry: { attempts: 2 } }),
      ],
      edges: [
        edge('a', 'a', { loop: { maxVisits: 1 } }),
        edge('a', 'c', { action: 'go', condition: 'is-big', transform: 'to-text' }),
        edge('b', 'c', { id: 'b to c' }),
        edge('b', 'c', { action: 'other' }),
      ],
    }

    expect(checkBlueprint(blueprint)).toEqual(blueprint)
  })

  it('one node without edges', () => {
    expect(checkBlueprint({ id: 'one', nodes: [node('only')], edges: [] }).nodes).toHaveLength(1)
  })

  it('a copy that nobody can change, whatever becomes of the original', () => {
    const params = { list: [{ n: 1 }] }
    const original = flow({ nodes: [{ ...node('a'), params }], edges: [] })

    const blueprint = checkBlueprint(original)
    params.list[0] = { n: 2 }

    expect(blueprint.nodes[0]?.params).toEqual({ list: [{ n: 1 }] })
    const unfrozen: unknown[] = []
    const visit = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return
      if (!Object.isFrozen(value)) unfrozen.push(value)
      Object.values(value).forEach(visit)
    }
    visit(blueprint)
    expect(unfrozen).toEqual([])
  })

  it('its own answer at once', () => {
    const blueprint = checkBlueprint(flow())

    expect(checkBlueprint(blueprint)).toBe(blueprint)
  })

  it('members that are undefined as absent ones', () => {
    const parsed = checkBlueprint(flow())

    expect(checkBlueprint(flow({ policy: undefined, nonsense: undefined }))).toStrictEqual(parsed)
  })

  it('ids that are names of members of every object', () => {
    const ids = ['toString', 'hasOwnProperty', 'valueOf']

    expect(checkBlueprint({ id: 'names', nodes: ids.map((id) => node(id)), edges: line(...ids) }).edges).toHaveLength(2)
  })
})

/** What is wrong: the blueprint, the field that the error names, words of its message, words of its hint. */
type Mistake = readonly [what: string, data: unknown, field: string, message: RegExp, hint: RegExp]

const mistakes: readonly Mistake[] = [
  // The whole.
  ['a text', '{"id":"x"}', 'blueprint', /plain object, not a text/, /./],
  ['nothing', undefined, 'blueprint', /not nothing/, /./],
  ['null', null, 'blueprint', /not null/, /./],
  ['a list', [], 'blueprint', /not a list/, /./],
  ['a class instance', new Map(), 'blueprint', /instance of a class/, /./],
  ['no id', flow({ id: undefined }), 'id', /missing/, /./],
  ['no nodes member', flow({ nodes: undefined }), 'nodes', /missing/, /./],
  ['no edges member', flow({ edges: undefined }), 'edges', /missing/, /./],
  ['an unknown member', flow({ node: [] }), 'node', /no such member/, /`nodes`/],
  ['an unknown member of metadata', flow({ metadata: { versoin: '1' } }), 'metadata.versoin', /no such/, /`version`/],
  ['metadata of null', flow({ metadata: null }), 'metadata', /null/, /./],
  ['a description that is no text', flow({ metadata: { description: 7 } }), 'metadata.description', /a number/, /./],
  ['a flow id with a slash', flow({ id: 'a/b' }), 'id', /a\/b/, /A-Z/],
  ['a flow id of no characters', flow({ id: '' }), 'id', /usable/, /./],
  ['a flow id that is a number', flow({ id: 7 }), 'id', /number/, /./],
  ['a reserved flow id', flow({ id: '__proto__' }), 'id', /__proto__/, /./],
  ['a version with a blank', flow({ metadata: { version: '1 0' } }), 'metadata.version', /1 0/, /./],
  ['a version that is a number', flow({ metadata: { version: 1 } }), 'metadata.version', /number/, /./],
  ['a deadline of zero', flow({ policy: { deadlineMs: 0 } }), 'policy.deadlineMs', /not be 0/, /from 1/],
  ['a deadline that is infinite', flow({ policy: { deadlineMs: Infinity } }), 'policy.deadlineMs', /Infinity/, /./],
  ['failFast that is a text', flow({ policy: { failFast: 'no' } }), 'policy.failFast', /a text/, /true or false/],

  // Nodes.
  ['nodes as a record', flow({ nodes: { a: {} } }), 'nodes', /must be a list/, /./],
  ['no nodes at all', flow({ nodes: [], edges: [] }), 'nodes', /empty/, /at least one/],
  ['too many nodes', flow({ nodes: new Array(100_001).fill(0) }), 'nodes', /100001/, /100000/],
  ['a node that is a hole', flow({ nodes: new Array(1) }), 'nodes[0]', /nothing/, /./],
  ['a node without id', flow({ nodes: [{ uses: 'x' }] }), 'nodes[0].id', /missing/, /./],
  ['a node without uses', flow({ nodes: [{ id: 'a' }] }), 'nodes[0].uses', /missing/, /./],
  ['a misspelt config', flow({ nodes: [{ ...node('a'), confg: {} }] }), 'nodes[0].confg', /no such/, /`config`/],
  ['a node id with a bracket', flow({ nodes: [node('a[1]')] }), 'nodes[0].id', /a\[1\]/, /without/],
  ['a node id with a blank', flow({ nodes: [node('a b')] }), 'nodes[0].id', /a b/, /./],
  ['a node id too long', flow({ nodes: [node('x'.repeat(129))] }), 'nodes[0].id', /xxx\.\.\./, /128/],
  ['a lone surrogate in a node id', flow({ nodes: [node('a\ud800')] }), 'nodes[0].id', /usable/, /./],
  ...['__proto__', 'constructor', 'prototype', '.', '..'].map(
    (id): Mistake => [`the reserved node id ${id}`, flow({ nodes: [node(id)] }), 'nodes[0].id', /usable/, /reserved/],
  ),
  ['two nodes of one id', flow({ nodes: [node('a'), node('b'), node('a')] }), 'nodes[2].id', /nodes\[0\]/, /own id/],
  ['uses of no characters', flow({ nodes: [{ id: 'a', uses: '' }] }), 'nodes[0].uses', /0 characters/, /200/],
  ['uses too long', flow({ nodes: [{ id: 'a', uses: 'x'.repeat(201) }] }), 'nodes[0].uses', /201/, /200/],
  ['uses with a line break', flow({ nodes: [{ id: 'a', uses: 'a\nb' }] }), 'nodes[0].uses', /control/, /printable/],
  ['uses that is a function', flow({ nodes: [{ id: 'a', uses: () => 1 }] }), 'nodes[0].uses', /a function/, /./],
  ['params that are a list', flow({ nodes: [{ ...node('a'), params: [] }] }), 'nodes[0].params', /a list/, /./],
  [
    'a function in params',
    flow({ nodes: [{ ...node('a'), params: { f: [() => 1] } }] }),
    'nodes[0].params.f[0]',
    /function/,
    /uses/,
  ],
  [
    'a date in params',
    flow({ nodes: [{ ...node('a'), params: { at: new Date(0) } }] }),
    'nodes[0].params.at',
    /class/,
    /./,
  ],
  ['NaN in params', flow({ nodes: [{ ...node('a'), params: { n: NaN } }] }), 'nodes[0].params.n', /NaN/, /./],
  ['a bigint in params', flow({ nodes: [{ ...node('a'), params: { n: 1n } }] }), 'nodes[0].params.n', /bigint/, /./],

  // Config.
  ['config that is null', configured(null), 'nodes[2].config', /null/, /./],
  ['a misspelt policy', configured({ retries: {} }), 'nodes[2].config.retries', /no such/, /`retry`/],
  ['no attempts', configured({ retry: { attempts: 0 } }), 'nodes[2].config.retry.attempts', /not be 0/, /from 1/],
  ['half an attempt', configured({ retry: { attempts: 1.5 } }), 'nodes[2].config.retry.attempts', /1\.5/, /whole/],
  ['attempts as a text', configured({ retry: { attempts: '3' } }), 'nodes[2].config.retry.attempts', /a text/, /./],
  ['a negative delay', configured({ retry: { delayMs: -1 } }), 'nodes[2].config.retry.delayMs', /-1/, /from 0/],
  ['a delay of NaN', configured({ retry: { delayMs: NaN } }), 'nodes[2].config.retry.delayMs', /NaN/, /./],
  ['a factor below one', configured({ retry: { factor: 0.5 } }), 'nodes[2].config.retry.factor', /0\.5/, /from 1/],
  [
    'a negative longest delay',
    configured({ retry: { maxDelayMs: -1 } }),
    'nodes[2].config.retry.maxDelayMs',
    /-1/,
    /./,
  ],
  ['too much jitter', configured({ retry: { jitter: 1.1 } }), 'nodes[2].config.retry.jitter', /1\.1/, /from 0 to 1/],
  ['negative jitter', configured({ retry: { jitter: -0.1 } }), 'nodes[2].config.retry.jitter', /-0\.1/, /./],
  ['errors that are no list', configured({ retry: { errors: 'X' } }), 'nodes[2].config.retry.errors', /list/, /./],
  [
    'an error that is no name',
    configured({ retry: { errors: ['X', 1] } }),
    'nodes[2].config.retry.errors[1]',
    /text/,
    /./,
  ],
  ['a timeout of zero', configured({ timeoutMs: 0 }), 'nodes[2].config.timeoutMs', /not be 0/, /from 1/],
  ['a broken timeout', configured({ timeoutMs: 0.5 }), 'nodes[2].config.timeoutMs', /0\.5/, /whole/],
  ['a timeout beyond all numbers', configured({ timeoutMs: 2 ** 54 }), 'nodes[2].config.timeoutMs', /18014/, /9007/],
  ['negative lost leases', configured({ maxLostLeases: -1 }), 'nodes[2].config.maxLostLeases', /-1/, /from 0/],
  ['no concurrency', configured({ map: { concurrency: 0 } }), 'nodes[2].config.map.concurrency', /not be 0/, /from 1/],
  ['negative failures', configured({ map: { maxFailures: -1 } }), 'nodes[2].config.map.maxFailures', /-1/, /./],
  ['map that is true', configured({ map: true }), 'nodes[2].config.map', /a boolean/, /./],
  ['an unknown join', configured({ joinStrategy: 'some' }), 'nodes[2].config.joinStrategy', /"some"/, /'all', 'any'/],
  [
    'anyFailure without any',
    configured({ anyFailure: 'ignore' }),
    'nodes[2].config.anyFailure',
    /join of all/,
    /'any'/,
  ],
  [
    'an unknown anyFailure',
    configured({ joinStrategy: 'any', anyFailure: 'skip' }),
    'nodes[2].config.anyFailure',
    /skip/,
    /'cancel', 'ignore'/,
  ],
  [
    'cancelLosers with all',
    configured({ joinStrategy: 'all', cancelLosers: true }),
    'nodes[2].config.cancelLosers',
    /join of all/,
    /'any'/,
  ],
  ['reads that are no keys', configured({ reads: [''] }), 'nodes[2].config.reads[0]', /""/, /printable/],
  ['reads of a number', configured({ reads: [7] }), 'nodes[2].config.reads[0]', /number/, /./],

  // Inputs.
  ['an input of no source', configured({ inputs: { x: {} } }), 'nodes[2].config.inputs.x', /no source/, /one of/],
  [
    'an input of two sources',
    configured({ inputs: { x: { run: true, node: 'b' } } }),
    'nodes[2].config.inputs.x',
    /node, run/,
    /exactly one/,
  ],
  [
    'an input of an unknown kind',
    configured({ inputs: { x: { nod: 'b' } } }),
    'nodes[2].config.inputs.x.nod',
    /./,
    /`node`/,
  ],
  [
    'an input from run: false',
    configured({ inputs: { x: { run: false } } }),
    'nodes[2].config.inputs.x.run',
    /true/,
    /./,
  ],
  [
    'an input from afar',
    configured({ inputs: { x: { node: 'a' } } }),
    'nodes[2].config.inputs.x.node',
    /no direct predecessor/,
    /one of b/,
  ],
  [
    'an input of a start node from a node',
    flow({ nodes: [node('a', { inputs: { x: { node: 'b' } } }), node('b'), node('c')] }),
    'nodes[0].config.inputs.x.node',
    /predecessor/,
    /run: true/,
  ],
  [
    'an input from no key',
    configured({ inputs: { x: { context: '' } } }),
    'nodes[2].config.inputs.x.context',
    /""/,
    /./,
  ],
  [
    'an input path of numbers',
    configured({ inputs: { x: { run: true, path: [0] } } }),
    'nodes[2].config.inputs.x.path[0]',
    /number/,
    /./,
  ],
  [
    'an input path that is a text',
    configured({ inputs: { x: { run: true, path: 'a.b' } } }),
    'nodes[2].config.inputs.x.path',
    /list/,
    /./,
  ],
  [
    'a path into a fixed value',
    configured({ inputs: { x: { value: {}, path: ['a'] } } }),
    'nodes[2].config.inputs.x.path',
    /right here/,
    /./,
  ],

  // Fallbacks.
  ['a fallback that is not there', configured({ fallback: 'd' }), 'nodes[2].config.fallback', /no node "d"/, /./],
  ['a fallback to itself', configured({ fallback: 'c' }), 'nodes[2].config.fallback', /itself/, /retry/],
  ['a fallback with edges', configured({ fallback: 'b' }), 'edges[0].target', /no edges of its own/, /Remove/],
  ['a fallback that starts', configured({ fallback: 'a' }), 'edges[0].source', /no edges of its own/, /./],
  [
    'a fallback of a fallback',
    flow({ nodes: [node('a', { fallback: 'b' }), node('b', { fallback: 'c' }), node('c')], edges: [] }),
    'nodes[0].config.fallback',
    /fallback of its own/,
    /retry/,
  ],
  [
    'fallbacks of each other',
    flow({ nodes: [node('a', { fallback: 'b' }), node('b', { fallback: 'a' })], edges: [] }),
    'nodes[0].config.fallback',
    /of its own/,
    /./,
  ],
  [
    'a fallback of two nodes',
    flow({ nodes: [node('a', { fallback: 'c' }), node('b', { fallback: 'c' }), node('c')], edges: [] }),
    'nodes[1].config.fallback',
    /nodes\[0\]/,
    /of its own/,
  ],

  // Edges.
  ['edges as a record', flow({ edges: {} }), 'edges', /must be a list/, /./],
  ['too many edges', flow({ edges: new Array(500_001).fill(0) }), 'edges', /500001/, /500000/],
  ['an edge without target', flow({ edges: [{ source: 'a' }] }), 'edges[0].target', /missing/, /./],
  ['an edge that names its ends otherwise', flow({ edges: [{ from: 'a' }] }), 'edges[0].from', /no such/, /source/],
  ['a target that is not there', flow({ edges: [edge('a', 'b'), edge('b', 'C')] }), 'edges[1].target', /"C"/, /"c"/],
  ['a source that is not there', flow({ edges: [edge('x', 'b')] }), 'edges[0].source', /"x"/, /./],
  ['an edge to itself', flow({ edges: [edge('a', 'a')] }), 'edges[0].target', /a -> a/, /maxVisits/],
  ['two edges between the same nodes', flow({ edges: [edge('a', 'b'), edge('a', 'b')] }), 'edges[1]', /a->b/, /`id`/],
  [
    'two edges with one action',
    flow({ edges: [edge('a', 'b', { action: 'x' }), edge('a', 'b', { action: 'x' })] }),
    'edges[1]',
    /a-x->b/,
    /`action`/,
  ],
  [
    'two edges of one id',
    flow({ edges: [edge('a', 'b', { id: 'e' }), edge('b', 'c', { id: 'e' })] }),
    'edges[1].id',
    /edges\[0\]/,
    /`id`/,
  ],
  ['an edge id like a failure', flow({ edges: [edge('a', 'b', { id: 'a!' })] }), 'edges[0].id', /a!/, /!/],
  ['an edge id like an item', flow({ edges: [edge('a', 'b', { id: '[0]' })] }), 'edges[0].id', /\[0\]/, /./],
  [
    'an edge id with a control character',
    flow({ edges: [edge('a', 'b', { id: 'a\0' })] }),
    'edges[0].id',
    /control/,
    /./,
  ],
  [
    'a node whose name makes its edge look like a failure',
    { id: 'x', nodes: [node('a'), node('b!')], edges: [edge('a', 'b!')] },
    'edges[0].id',
    /a->b!/,
    /`id`/,
  ],
  [
    'a condition that is a function',
    flow({ edges: [edge('a', 'b', { condition: () => true })] }),
    'edges[0].condition',
    /function/,
    /./,
  ],
  [
    'an action of no characters',
    flow({ edges: [edge('a', 'b', { action: '' })] }),
    'edges[0].action',
    /0 characters/,
    /./,
  ],

  // Cycles.
  ['a cycle of two', flow({ edges: [edge('a', 'b'), edge('b', 'a')] }), 'edges[1]', /a -> b -> a$/, /maxVisits/],
  [
    'a cycle behind a start node',
    flow({ edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'b')] }),
    'edges[2]',
    /: b -> c -> b$/,
    /./,
  ],
  [
    'a cycle before an end node',
    flow({ edges: [edge('c', 'b'), edge('b', 'c'), edge('b', 'a')] }),
    'edges[0]',
    /: b -> c -> b$/,
    /./,
  ],
  [
    'a cycle inside a loop',
    flow({ edges: [...line('a', 'b', 'c'), edge('c', 'b'), edge('c', 'a', { loop: { maxVisits: 2 } })] }),
    'edges[2]',
    /: b -> c -> b$/,
    /./,
  ],

  // Loops.
  [
    'a loop without a bound',
    flow({ edges: [...line('a', 'b', 'c'), edge('c', 'a', { loop: {} })] }),
    'edges[2].loop.maxVisits',
    /missing/,
    /./,
  ],
  [
    'a loop that nothing may visit',
    flow({ edges: [...line('a', 'b', 'c'), edge('c', 'a', { loop: { maxVisits: 0 } })] }),
    'edges[2].loop.maxVisits',
    /0/,
    /from 1/,
  ],
  [
    'a loop edge that leads on',
    flow({ edges: [edge('a', 'b'), edge('b', 'c', { loop: { maxVisits: 2 } })] }),
    'edges[1].loop',
    /no way leads from c to b/,
    /Leave out/,
  ],
  [
    'a loop edge from another branch',
    flow({ edges: [edge('a', 'b'), edge('a', 'c'), edge('c', 'b', { loop: { maxVisits: 2 } })] }),
    'edges[2].loop',
    /no way leads from b to c/,
    /behind b/,
  ],
  [
    'a second way into a loop',
    flow({
      nodes: [node('in'), node('a'), node('b'), node('c')],
      edges: [...line('in', 'a', 'b', 'c'), edge('in', 'b'), edge('c', 'a', { loop: { maxVisits: 2 } })],
    }),
    'edges[3]',
    /past a into its loop: in -> b/,
    /lead the edge to a/,
  ],
  [
    'a start node in the middle of a loop',
    flow({
      nodes: [node('a'), node('b'), node('c'), node('other')],
      edges: [...line('a', 'b', 'c'), edge('other', 'c'), edge('c', 'a', { loop: { maxVisits: 2 } })],
    }),
    'edges[2]',
    /past a into its loop: other -> c/,
    /./,
  ],
  [
    'loops within loops without end',
    flow({
      nodes: Array.from({ length: 9 }, (_, index) => node(`n${index}`)),
      edges: [
        ...line(...Array.from({ length: 9 }, (_, index) => `n${index}`)),
        ...Array.from({ length: 9 }, (_, index) => edge('n8', `n${index}`, { loop: { maxVisits: 2 } })),
      ],
    }),
    'edges[16].loop',
    /deeper than 8/,
    /one node/,
  ],
]

describe('checkBlueprint refuses', () => {
  it.each(mistakes)('%s', (_what, data, field, message, hint) => {
    const error = refusal(data)

    expect(error).toMatchObject({ code: 'INVALID_BLUEPRINT', field })
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
  })

  // What JSON cannot say is a mistake of hand-made blueprints only.
  it.each(mistakes.filter(([, data]) => isJson(data)))(
    '%s, in the same words when it comes out of JSON',
    (_what, data) => {
      const [made, parsed] = [refusal(data), refusal(JSON.parse(JSON.stringify(data)))]

      expect([parsed.message, parsed.hint]).toEqual([made.message, made.hint])
    },
  )

  it.each([
    ['the whole', '{"__proto__":{},"id":"x","nodes":[],"edges":[]}', '__proto__'],
    ['a node', '{"id":"x","nodes":[{"id":"a","uses":"x","__proto__":{"config":{}}}],"edges":[]}', 'nodes[0].__proto__'],
    [
      'params',
      '{"id":"x","nodes":[{"id":"a","uses":"x","params":{"y":[{"__proto__":1}]}}]}',
      'nodes[0].params.y[0].__proto__',
    ],
    [
      'inputs',
      '{"id":"x","nodes":[{"id":"a","uses":"x","config":{"inputs":{"__proto__":{"run":true}}}}]}',
      'nodes[0].config.inputs.__proto__',
    ],
    [
      'a path',
      '{"id":"x","nodes":[{"id":"a","uses":"x","config":{"inputs":{"y":{"run":true,"path":["__proto__"]}}}}]}',
      'nodes[0].config.inputs.y.path[0]',
    ],
    [
      'reads',
      '{"id":"x","nodes":[{"id":"a","uses":"x","config":{"reads":["__proto__"]}}]}',
      'nodes[0].config.reads[0]',
    ],
    ['an edge', '{"id":"x","nodes":[{"id":"a","uses":"x"}],"edges":[{"__proto__":1}]}', 'edges[0].__proto__'],
  ])('the key __proto__ in %s', (_where, text, field) => {
    expect(refusal(JSON.parse(text))).toMatchObject({ code: 'FORBIDDEN_KEY', field })
  })

  it('params that are nested too deeply, without a recursion of that depth', () => {
    let params: object = {}
    for (let depth = 0; depth < 100_000; depth++) params = { x: params }

    expect(refusal(flow({ nodes: [{ ...node('a'), params }] })).message).toMatch(/deeper than 64/)
  })

  it('params that are a cycle', () => {
    const params: Record<string, unknown> = {}
    params.self = params

    expect(refusal(flow({ nodes: [{ ...node('a'), params }] })).code).toBe('INVALID_BLUEPRINT')
  })

  it('params in which few objects stand for more JSON than fits anywhere', () => {
    let params: object = {}
    for (let depth = 0; depth < 60; depth++) params = { x: params, y: params }

    expect(refusal(flow({ nodes: [{ ...node('a'), params }] })).message).toMatch(/too many/)
  })

  it('inherited members, whatever they say', () => {
    expect(refusal(Object.create(flow())).code).toBe('INVALID_BLUEPRINT')
  })

  it('whatever is thrown at it, with an error of its own', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withMap: true, withSparseArray: true }), (data) => {
        expect(['INVALID_BLUEPRINT', 'FORBIDDEN_KEY']).toContain(refusal(data).code)
      }),
    )
  })

  it('whatever is put in the place of one of its members, or takes it as data', () => {
    const members = ['id', 'metadata', 'policy', 'nodes', 'edges']
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.anything(), (member, data) => {
        try {
          checkBlueprint(flow({ [member]: data }))
        } catch (error) {
          if (!BatonError.is(error)) throw error
          expect(error.field).toMatch(new RegExp(`^${member}`))
        }
      }),
    )
  })
})

describe('checkBlueprint of a large graph', () => {
  it('takes a line of 10,000 nodes, and sees where it is closed to a ring', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `n${index}`)
    const nodes = ids.map((id) => node(id))

    expect(checkBlueprint({ id: 'line', nodes, edges: line(...ids) }).edges).toHaveLength(9_999)

    const ring = refusal({ id: 'ring', nodes, edges: [...line(...ids), edge('n9999', 'n0')] })
    expect(ring.field).toBe('edges[9999]')
    expect(ring.message).toMatch(/n0 -> n1 -> .*\(9989 more\).* -> n9999 -> n0$/)
  })

  it('takes 100 layers of 100 nodes, each joined to two of the next', () => {
    const nodes = []
    const edges = []
    for (let layer = 0; layer < 100; layer++) {
      for (let place = 0; place < 100; place++) {
        nodes.push(node(`n${layer}-${place}`))
        if (layer === 0) continue
        for (const before of [place, (place + 1) % 100])
          edges.push(edge(`n${layer - 1}-${before}`, `n${layer}-${place}`))
      }
    }

    const blueprint = checkBlueprint({ id: 'layers', nodes, edges })

    expect([blueprint.nodes.length, blueprint.edges.length]).toEqual([10_000, 19_800])
  })

  it('reads each member once: the work grows with the graph and no faster', () => {
    const readsOf = (count: number) => {
      let reads = 0
      const counted = <T extends object>(object: T): T =>
        new Proxy(object, {
          get: (target, member, self) => {
            reads += 1
            return Reflect.get(target, member, self) as unknown
          },
        })
      const ids = Array.from({ length: count }, (_, index) => `n${index}`)
      checkBlueprint({ id: 'x', nodes: ids.map((id) => counted(node(id))), edges: line(...ids).map(counted) })
      return reads
    }

    expect(readsOf(1_000)).toBe(2 * 1_000 + 2 * 999)
  })
})

function isJson(data: unknown): boolean {
  if (data === null || typeof data === 'string' || typeof data === 'boolean' || Number.isFinite(data)) return true
  if (Array.isArray(data)) return Object.keys(data).length === data.length && data.every(isJson)
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return false
  return Object.values(data).every((value) => value === undefined || isJson(value))
}
