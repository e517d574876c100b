import { describe, expect, it } from 'vitest'
import { defaults } from '../model/blueprint.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import { BatonError } from '../model/errors.ts'
import { compileGraph, nodeOf } from './graph.ts'

/** `edges` as `a>b`, and config by node. */
function graphOf(edges: readonly string[], configs: Record<string, object> = {}, more: object = {}) {
  const pairs = edges.map((edge) => edge.split('>') as [string, string])
  const ids = [...new Set([...pairs.flat(), ...Object.keys(configs)])]
  return compileGraph(
    checkBlueprint({
      id: 'flow',
      nodes: ids.map((id) => ({ id, uses: `do-${id}`, config: configs[id] })),
      edges: pairs.map(([source, target]) => ({ source, target })),
      ...more,
    }),
  )
}

describe('compileGraph', () => {
  it('knows the flow, its version and policy, and where it starts', () => {
    const graph = graphOf(
      ['a>c', 'b>c'],
      {},
      { metadata: { version: '2' }, policy: { failFast: false, deadlineMs: 5 } },
    )

    expect(graph).toMatchObject({ flowId: 'flow', version: '2', failFast: false, deadlineMs: 5, starts: ['a', 'b'] })
  })

  it('fails fast and without deadline unless told otherwise', () => {
    expect(graphOf([], { a: {} })).toMatchObject({ version: undefined, failFast: true, deadlineMs: undefined })
  })

  it('gives each node its edges, rule and successors', () => {
    const graph = graphOf(['a>b', 'a>c', 'b>d', 'c>d'], { d: { joinStrategy: 'any', anyFailure: 'ignore' } })
    const [a, d] = [nodeOf(graph, 'a'), nodeOf(graph, 'd')]

    expect(a.outgoing.map(({ id }) => id)).toEqual(['a->b', 'a->c'])
    expect(d.incoming.map(({ id }) => id)).toEqual(['b->d', 'c->d'])
    expect([a.rule, d.rule]).toEqual(['all', 'any-ignore'])
    expect([a.resultOf, d.resultOf]).toEqual([undefined, 'd'])
    expect(a.candidates.map(({ nodeId }) => nodeId)).toEqual(['b', 'c'])
  })

  it('has the arrivals of a node ready where no condition can change them', () => {
    const plain = nodeOf(graphOf(['a>c', 'b>c'], { c: { joinStrategy: 'any' } }), 'a')
    const conditional = compileGraph(
      checkBlueprint({
        id: 'x',
        nodes: ['a', 'b'].map((id) => ({ id, uses: 'x' })),
        edges: [{ source: 'a', target: 'b', action: 'go' }],
      }),
    )

    expect(plain.plainArrivals).toEqual([{ to: 'c', edge: 'a->c', from: 'a', fate: 'succeeded', rule: 'any', of: 2 }])
    expect(nodeOf(conditional, 'a').plainArrivals).toBeUndefined()
  })

  it('gives a fallback the edges of the node that it stands in for, and no start', () => {
    const graph = graphOf(['a>b', 'b>c'], { b: { fallback: 'f' }, f: {} })
    const stand = nodeOf(graph, 'f')

    expect(graph.starts).toEqual(['a'])
    expect(stand.incoming).toEqual(nodeOf(graph, 'b').incoming)
    expect(stand.outgoing).toEqual(nodeOf(graph, 'b').outgoing)
    expect(stand.plainArrivals?.[0]).toMatchObject({ to: 'c', edge: 'b->c', from: 'f' })
    expect(nodeOf(graph, 'b').candidates.map(({ nodeId }) => nodeId)).toEqual(['c', 'f'])
  })

  it('lets a fallback at the end answer under the name of its node', () => {
    expect(nodeOf(graphOf([], { a: { fallback: 'f' }, f: {} }), 'f').resultOf).toBe('a')
  })

  it('says what a claim has to bring along', () => {
    const graph = graphOf(['a>b', 'b>c', 'b>d'], {
      b: { reads: ['x', 'y'], timeoutMs: 7, inputs: { one: { context: 'y' }, two: { context: 'z' } } },
      c: { inputs: { order: { run: true } } },
      d: { map: {}, fallback: 'f' },
      f: {},
    })

    expect(nodeOf(graph, 'a').needs).toEqual({ timeoutMs: defaults.nodeTimeoutMs, input: true })
    expect(nodeOf(graph, 'b').needs).toEqual({ timeoutMs: 7, reads: ['x', 'y', 'z'] })
    expect(nodeOf(graph, 'c').needs).toEqual({ timeoutMs: defaults.nodeTimeoutMs, input: true })
    expect(nodeOf(graph, 'd').candidates.map(({ nodeId }) => nodeId)).toEqual(['f', 'd'])
  })

  it('calls off whatever leads to a join that wants it, and nothing that leads elsewhere too', () => {
    const graph = graphOf(['start>a', 'start>b', 'start>c', 'a>x', 'x>j', 'b>j', 'c>j', 'c>other'], {
      j: { joinStrategy: 'any', cancelLosers: true },
    })

    expect([...nodeOf(graph, 'j').losers].sort()).toEqual(['a', 'b', 'x'])
    expect(nodeOf(graph, 'other').losers).toEqual([])
  })

  it('says what to do when a node is gone that a run still needs', () => {
    const find = () => nodeOf(graphOf([], { a: {} }), 'gone')

    expect(find).toThrow(/flow has no node gone/)
    try {
      find()
    } catch (error) {
      expect(BatonError.is(error, 'NODE_GONE') && error.hint).toMatch(/version/)
    }
  })
})
