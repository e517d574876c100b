import { describe, expect, it } from 'vitest'
import { builtInNodes } from '../engine/built-in-nodes.ts'
import type { NodeArguments } from '../engine/node-function.ts'
import { Registry } from '../engine/registry.ts'
import { BatonError } from '../model/errors.ts'
import type { ApprovalDecision } from '../model/run.ts'
import { createFlow, type Flow } from './create-flow.ts'

const nothing = () => undefined

function refusal(build: () => unknown): BatonError {
  try {
    build()
  } catch (error) {
    if (BatonError.is(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('createFlow', () => {
  it('builds the example of the documents, word for word', () => {
    // biome-ignore format: as the documents have it
    const workflow = createFlow('any-join-example')
      .node('A', async () => { throw new Error('A failed') })
      .node('B', async () => ({ output: 'B succeeded' }))
      .node('C', async ({ input }) => ({ output: `Result: ${input}` }), {
        config: { joinStrategy: 'any' }
      })
      .edge('A', 'C')
      .edge('B', 'C')
      .toBlueprint()

    expect(workflow).toEqual({
      id: 'any-join-example',
      nodes: [
        { id: 'A', uses: 'any-join-example/A' },
        { id: 'B', uses: 'any-join-example/B' },
        { id: 'C', uses: 'any-join-example/C', config: { joinStrategy: 'any' } },
      ],
      edges: [
        { source: 'A', target: 'C' },
        { source: 'B', target: 'C' },
      ],
    })
  })

  it('puts version, description and policy where blueprints have them', () => {
    const options = { version: '1.2.0', description: 'two words', failFast: false, deadlineMs: 60_000 }

    expect(createFlow('x', options).node('a', nothing).toBlueprint()).toMatchObject({
      metadata: { version: '1.2.0', description: 'two words' },
      policy: { failFast: false, deadlineMs: 60_000 },
    })
  })

  it('gives the same frozen blueprint and the same registry at every call', () => {
    const flow = createFlow('x').node('a', nothing)

    expect(flow.toBlueprint()).toBe(flow.toBlueprint())
    expect(flow.registry).toBe(flow.registry)
    expect(Object.isFrozen(flow.toBlueprint().nodes[0])).toBe(true)
  })

  it('keeps functions under their names: of flow and node, or as `uses` says', () => {
    const [a, b] = [() => undefined, () => undefined]

    const { registry } = createFlow('x').node('a', a).node('b', b, { uses: 'mine' })

    expect([...registry.nodes]).toEqual([
      ['x/a', a],
      ['mine', b],
    ])
  })

  it('takes config beside `uses` and `params` or in `config`', () => {
    const beside = createFlow('x').node('a', nothing, { params: { n: 1 }, retry: { attempts: 3 }, timeoutMs: 5 })
    const inside = createFlow('x').node('a', nothing, {
      params: { n: 1 },
      config: { retry: { attempts: 3 }, timeoutMs: 5 },
    })
    const both = createFlow('x').node('a', nothing, {
      params: { n: 1 },
      timeoutMs: 5,
      config: { retry: { attempts: 3 } },
    })

    expect(beside.toBlueprint()).toEqual(inside.toBlueprint())
    expect(both.toBlueprint()).toEqual(inside.toBlueprint())
  })

  it('registers what edges bring along under a name that is the same in every process', () => {
    const condition = () => true
    const transform = (output: unknown) => output

    const flow = createFlow('x')
      .node('a', nothing)
      .node('b', nothing)
      .edge('a', 'b', { condition, transform })
      .edge('a', 'b', { action: 'go', condition })
      .edge('a', 'b', { id: 'third', transform: 'named elsewhere' })

    expect(flow.toBlueprint().edges).toEqual([
      { source: 'a', target: 'b', condition: 'x/a->b#condition', transform: 'x/a->b#transform' },
      { source: 'a', target: 'b', action: 'go', condition: 'x/a-go->b#condition' },
      { source: 'a', target: 'b', id: 'third', transform: 'named elsewhere' },
    ])
    expect([...flow.registry.conditions.keys()]).toEqual(['x/a->b#condition', 'x/a-go->b#condition'])
    expect([...flow.registry.transforms]).toEqual([['x/a->b#transform', transform]])
  })

  it('makes a map of a function for one item', () => {
    const { nodes } = createFlow('x').map('a', nothing, { concurrency: 2, maxFailures: 1, timeoutMs: 5 }).toBlueprint()

    expect(nodes[0]?.config).toEqual({ map: { concurrency: 2, maxFailures: 1 }, timeoutMs: 5 })
    expect(createFlow('x').map('a', nothing).toBlueprint().nodes[0]?.config).toEqual({ map: {} })
  })

  it('makes nodes that only wait', () => {
    const flow = createFlow('x')
      .approval('ask', { request: { amount: 7 }, timeoutMs: 1_000, config: { joinStrategy: 'any' } })
      .approval('ask-again', { name: 'manager' })
      .sleep('rest', 60_000)
      .waitForSignal('hear', { signal: 'paid', timeoutMs: 5 })
      .child('bill', 'billing', { version: '2', wait: false })
      .edge('ask', 'rest')

    expect(flow.toBlueprint().nodes).toEqual([
      {
        id: 'ask',
        uses: 'baton/approval',
        params: { name: 'ask', request: { amount: 7 }, timeoutMs: 1_000 },
        config: { joinStrategy: 'any' },
      },
      { id: 'ask-again', uses: 'baton/approval', params: { name: 'manager' } },
      { id: 'rest', uses: 'baton/sleep', params: { delayMs: 60_000 } },
      { id: 'hear', uses: 'baton/wait-for-signal', params: { signal: 'paid', timeoutMs: 5 } },
      { id: 'bill', uses: 'baton/child', params: { flow: 'billing', version: '2', wait: false } },
    ])
    expect(new Map(flow.registry.nodes)).toEqual(new Map(builtInNodes))
  })

  it('brings along the flows that its nodes run, and theirs', () => {
    const inner = createFlow('inner').node('a', nothing)
    const outer = createFlow('outer').child('run', inner)
    const registry = new Registry({ flows: [createFlow('top').child('run', outer).child('named', 'elsewhere')] })

    expect(registry.graphs().map(({ flowId }) => flowId)).toEqual(['inner', 'outer', 'top'])
    expect(() => createFlow('x').child('a', 5 as never)).toThrow(/not a flow/)
    expect(() => createFlow('x').child('a', '../x')).toThrow(/nodes\[0\].params.flow/)
  })

  it('gives a registry all that its blueprint names', () => {
    const flow = createFlow('x')
      .node('a', nothing)
      .sleep('b', 1)
      .edge('a', 'b', { condition: () => true, transform: () => 1 })

    expect(new Registry({ flows: [flow] }).toStart('x').starts).toEqual(['a'])
  })

  it('takes 10,000 nodes in a line', () => {
    let flow: Flow = createFlow('x').node('n0', nothing)
    for (let index = 1; index < 10_000; index++) {
      flow = flow.node(`n${index}`, nothing).edge(`n${index - 1}`, `n${index}`)
    }

    expect(flow.toBlueprint().edges).toHaveLength(9_999)
  })
})

describe('a flow never changes', () => {
  it('when others grow out of it', () => {
    const base = createFlow('x').node('a', nothing)
    const base2 = base.toBlueprint()

    const left = base.node('b', nothing).edge('a', 'b')
    const right = base.node('b', nothing, { uses: 'right' }).node('c', nothing).edge('a', 'c')
    const leftmost = left.node('d', nothing)

    const ids = (flow: Flow) => flow.toBlueprint().nodes.map(({ id }) => id)
    expect([base, left, right, leftmost].map((flow) => ids(flow as Flow))).toEqual([
      ['a'],
      ['a', 'b'],
      ['a', 'b', 'c'],
      ['a', 'b', 'd'],
    ])
    expect(right.toBlueprint().nodes[1]?.uses).toBe('right')
    expect(right.toBlueprint().edges).toEqual([{ source: 'a', target: 'c' }])
    expect([...left.registry.nodes.keys()]).toEqual(['x/a', 'x/b'])
    expect(base.toBlueprint()).toBe(base2)
  })

  it('when a call was refused', () => {
    const flow = createFlow('x').node('a', nothing)

    refusal(() => flow.node('a', nothing))
    refusal(() => flow.node('b', nothing, { retry: { attempts: 0 } }))

    expect(flow.node('b', nothing).edge('a', 'b').toBlueprint().nodes).toHaveLength(2)
  })

  it('when the options that it was given do', () => {
    const options = { params: { list: [1] } }
    const flow = createFlow('x').node('a', nothing, options)

    options.params.list.push(2)

    expect(flow.toBlueprint().nodes[0]?.params).toEqual({ list: [1] })
  })
})

describe('a flow refuses at the call that is wrong', () => {
  const flow: Flow = createFlow('x').node('a', nothing).node('b', nothing).edge('a', 'b')
  const mistakes: readonly (readonly [what: string, build: () => unknown, field: string, hint: RegExp])[] = [
    ['a flow id', () => createFlow('a/b'), 'id', /A-Z/],
    ['a version', () => createFlow('x', { version: '' }), 'metadata.version', /A-Z/],
    ['a deadline', () => createFlow('x', { deadlineMs: 0 }), 'policy.deadlineMs', /from 1/],
    ['a node id', () => flow.node('a b', nothing), 'nodes[2].id', /blanks/],
    ['a node id that is taken', () => flow.node('a', nothing), 'nodes[2].id', /own id/],
    ['a policy', () => flow.node('c', nothing, { retry: { attempts: 0 } }), 'nodes[2].config.retry.attempts', /from 1/],
    [
      'an unknown option',
      () => flow.node('c', nothing, { retries: 3 } as object),
      'nodes[2].config.retries',
      /`retry`/,
    ],
    [
      'a member given twice',
      () => flow.node('c', nothing, { timeoutMs: 1, config: { timeoutMs: 1 } }),
      'nodes[2].config.timeoutMs',
      /not in both/,
    ],
    ['a config of null', () => flow.node('c', nothing, { config: null } as object), 'nodes[2].config', /braces/],
    ['no function', () => flow.node('c', undefined as never), 'nodes[2]', /second argument/],
    ['two functions of one name', () => flow.node('c', () => ({}), { uses: 'x/a' }), 'nodes[2].uses', /own name/],
    ['a concurrency', () => flow.map('c', nothing, { concurrency: 0 }), 'nodes[2].config.map.concurrency', /from 1/],
    ['an edge from nowhere', () => flow.edge('c', 'b'), 'edges[1].source', /Did you mean/],
    ['an edge to nowhere', () => flow.edge('a', 'B'), 'edges[1].target', /"b"/],
    ['an edge back to its node', () => flow.edge('a', 'a'), 'edges[1].target', /maxVisits/],
    ['the same edge again', () => flow.edge('a', 'b'), 'edges[1]', /`id`/],
    ['an edge id', () => flow.edge('a', 'b', { id: 'x!' }), 'edges[1].id', /!/],
    ['a name of an approval', () => flow.approval('c', { name: 'a b' }), 'nodes[2].params.name', /A-Z/],
    ['a node id that cannot name an approval', () => flow.approval('prüfen'), 'nodes[2].params.name', /A-Z/],
    ['a request', () => flow.approval('c', { request: NaN }), 'nodes[2].params.request', /JSON/],
    ['a time to sleep', () => flow.sleep('c', -1), 'nodes[2].params.delayMs', /from 0/],
    ['no signal', () => flow.waitForSignal('c', {} as never), 'nodes[2].params.signal', /value/],
    [
      'a time to wait',
      () => flow.waitForSignal('c', { signal: 's', timeoutMs: NaN }),
      'nodes[2].params.timeoutMs',
      /from 0/,
    ],
    ['a flow of no nodes', () => createFlow('x').toBlueprint(), 'nodes', /at least one/],
    ['a cycle', () => flow.edge('b', 'a').toBlueprint(), 'edges[1]', /maxVisits/],
    [
      'a fallback that nobody added',
      () => flow.node('c', nothing, { fallback: 'd' }).toBlueprint(),
      'nodes[2].config.fallback',
      /add/,
    ],
  ]

  it.each(mistakes)('%s', (_what, build, field, hint) => {
    const error = refusal(build)

    expect(error).toMatchObject({ code: 'INVALID_BLUEPRINT', field })
    expect(error.hint).toMatch(hint)
  })
})

describe('a node that only waits', () => {
  const call = (uses: string, args: Partial<NodeArguments>) => builtInNodes.get(uses)?.(args as NodeArguments<never>)
  const flow = createFlow('x')
    .approval('ask', { request: { amount: 7 }, timeoutMs: 5 })
    .sleep('rest', 60_000)
    .waitForSignal('hear', { signal: 'paid' })
    .toBlueprint()
  const paramsOf = (place: number) => flow.nodes[place]?.params ?? {}

  it('for an approval, gives the decision', async () => {
    const asked: unknown[] = []
    const decision: ApprovalDecision = { approved: true, by: 'ann' }
    const approval: NodeArguments['approval'] = async (...args) => {
      asked.push(args)
      return decision
    }

    expect(await call('baton/approval', { approval, params: paramsOf(0) })).toEqual({
      output: decision,
      action: 'approved',
    })
    expect(asked).toEqual([['ask', { request: { amount: 7 }, timeoutMs: 5 }]])
  })

  it('for time, gives nothing', async () => {
    const slept: unknown[] = []
    const sleep: NodeArguments['sleep'] = async (duration) => void slept.push(duration)

    expect(await call('baton/sleep', { sleep, params: paramsOf(1) })).toBeUndefined()
    expect(slept).toEqual([60_000])
  })

  it('for a signal, gives its payload', async () => {
    const waitForSignal = (async (name: string) => ({ heard: name })) as NodeArguments['waitForSignal']

    expect(await call('baton/wait-for-signal', { waitForSignal, params: paramsOf(2) })).toEqual({
      output: { heard: 'paid' },
    })
  })

  it('refuses params of a blueprint by hand that do not fit', async () => {
    await expect(call('baton/sleep', { params: {} })).rejects.toMatchObject({ field: 'params.delayMs' })
  })
})
