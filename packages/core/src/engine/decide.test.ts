import { describe, expect, it } from 'vitest'
import { claimOf } from '../../test/claims.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import type { RecordedError } from '../model/errors.ts'
import type { Fate } from '../model/run.ts'
import type { ClaimedArrival } from '../ports/claim.ts'
import { afterFailure, afterItems, afterSkip, afterSuccess, fail, judge } from './decide.ts'
import { compileGraph, type Graph, nodeOf } from './graph.ts'

const error: RecordedError = { name: 'Error', message: 'no' }

/** `edges` as `a>b`, or `a>b if` for a conditional one. */
function graphOf(edges: readonly string[], configs: Record<string, object> = {}): Graph {
  const pairs = edges.map((edge) => edge.split(/[> ]/) as [string, string, string?])
  const ids = new Set([
    ...pairs.map(([source]) => source),
    ...pairs.map(([, target]) => target),
    ...Object.keys(configs),
  ])
  return compileGraph(
    checkBlueprint({
      id: 'flow',
      nodes: [...ids].map((id) => ({ id, uses: 'x', config: configs[id] })),
      edges: pairs.map(([source, target, condition]) => ({ source, target, condition })),
    }),
  )
}

function arrival(from: string, to: string, fate: Fate, more: Partial<ClaimedArrival> = {}): ClaimedArrival {
  return { edge: `${from}->${to}`, from, fate, ...more }
}

describe('judge', () => {
  const graph = graphOf(['a>j', 'b>j', 'a>c'], { j: { maxLostLeases: 2 } })

  it('runs a node that nothing precedes', () => {
    expect(judge(nodeOf(graph, 'a'), claimOf('a'))).toEqual({ type: 'run' })
  })

  it('runs, skips or fails a join by its rule, and tells what failed', () => {
    const judged = (...fates: Fate[]) =>
      judge(
        nodeOf(graph, 'j'),
        claimOf('j', {
          arrivals: fates.map((fate, index) =>
            arrival(['a', 'b'][index] as string, 'j', fate, fate === 'failed' ? { error } : {}),
          ),
        }),
      )

    expect(judged('succeeded', 'skipped')).toEqual({ type: 'run' })
    expect(judged('skipped', 'skipped')).toEqual({ type: 'skip' })
    expect(judged('succeeded', 'failed')).toMatchObject({
      type: 'fail',
      error: { code: 'PREDECESSOR_FAILED', message: expect.stringMatching(/b: no/) as string },
    })
  })

  it('skips a node behind a failure that no commit had room to settle', () => {
    const claim = claimOf('c', { arrivals: [arrival('a', 'c', 'failed')] })

    expect(judge(nodeOf(graph, 'c'), claim)).toEqual({ type: 'skip' })
    expect(afterSkip(graph, nodeOf(graph, 'c'), claim)).toMatchObject({ type: 'skipped', reason: 'upstream-failed' })
  })

  it('fails what has cost more workers than it may, even if it could run', () => {
    const lost = (lostLeases: number, nodeId: string) => judge(nodeOf(graph, nodeId), claimOf(nodeId, { lostLeases }))

    expect(lost(2, 'j')).toEqual({ type: 'run' })
    expect(lost(3, 'j')).toMatchObject({ type: 'fail', error: { code: 'LEASES_LOST' } })
    expect(lost(5, 'a')).toEqual({ type: 'run' })
    expect(lost(6, 'a').type).toBe('fail')
  })

  it('runs the items of a map, and gathers when they have settled', () => {
    expect(judge(nodeOf(graph, 'a'), claimOf('a[3]', { item: null })).type).toBe('run')
    expect(judge(nodeOf(graph, 'a'), claimOf('a', { map: { count: 1, maxFailures: 0 } })).type).toBe('gather')
  })

  it('runs a fallback, whatever has failed before it', () => {
    const graph = graphOf(['a>n', 'b>n'], { n: { joinStrategy: 'any', anyFailure: 'ignore', fallback: 'f' }, f: {} })
    const arrivals: ClaimedArrival[] = [arrival('a', 'n', 'failed'), { edge: 'n!', from: 'n', fate: 'failed' }]

    expect(judge(nodeOf(graph, 'f'), claimOf('f', { arrivals }))).toEqual({ type: 'run' })
  })
})

describe('afterSuccess', () => {
  it('arrives along every edge of a plain node, with no arrival made anew', () => {
    const graph = graphOf(['a>b', 'a>c'])
    const node = nodeOf(graph, 'a')

    const outcome = afterSuccess(graph, node, claimOf('a'), { output: 1, action: 'x' })

    expect(outcome).toEqual({ type: 'succeeded', output: 1, action: 'x', arrivals: node.plainArrivals })
    expect(outcome.type === 'succeeded' && outcome.arrivals).toBe(node.plainArrivals)
  })

  it('skips what lies behind an edge that was not taken', () => {
    const graph = graphOf(['a>b if', 'a>c if', 'b>d'])

    const outcome = afterSuccess(graph, nodeOf(graph, 'a'), claimOf('a'), { taken: [false, true] })

    expect(outcome).toMatchObject({
      arrivals: [
        { to: 'b', fate: 'skipped' },
        { to: 'c', fate: 'succeeded' },
      ],
      settlements: [
        { instanceId: 'b', fate: { type: 'skipped', reason: 'not-taken' } },
        { instanceId: 'd', fate: { type: 'skipped', reason: 'not-taken' } },
      ],
    })
  })

  it('names the result of a node that nothing follows', () => {
    const graph = graphOf(['a>b'])

    expect(afterSuccess(graph, nodeOf(graph, 'b'), claimOf('b'), {})).toEqual({
      type: 'succeeded',
      arrivals: [],
      resultOf: 'b',
    })
  })

  it('calls off the losers of an `any` join that wants it', () => {
    const graph = graphOf(['a>j', 'b>j'], { j: { joinStrategy: 'any', cancelLosers: true } })

    expect(afterSuccess(graph, nodeOf(graph, 'j'), claimOf('j'), {})).toMatchObject({ cancels: ['a', 'b'] })
  })

  it('brings the item of a map to its map, and nowhere else', () => {
    const graph = graphOf(['m>b'], { m: { map: {} } })

    const outcome = afterSuccess(graph, nodeOf(graph, 'm'), claimOf('m[7]', { item: 1 }), { output: 2 })

    const arrivals = [{ to: 'm', edge: '[7]', from: 'm[7]', fate: 'succeeded', rule: 'map', of: 0 }]
    expect(outcome).toEqual({ type: 'succeeded', output: 2, arrivals })
  })
})

describe('afterFailure', () => {
  const graph = graphOf(['a>b'], { a: { retry: { attempts: 3, errors: ['Error', 'NODE_TIMEOUT'] } } })
  const after = (failure: object, attempt = 1, nodeId = 'a') =>
    afterFailure(graph, nodeOf(graph, nodeId), claimOf(nodeId, { attempt }), {
      error,
      mayRetry: true,
      delayMs: 5,
      ...failure,
    })

  it('tries again while attempts are left', () => {
    expect(after({}, 2)).toEqual({ type: 'retried', error, delayMs: 5 })
    expect(after({}, 3).type).toBe('failed')
    expect(after({}, 1, 'b').type).toBe('failed')
  })

  it('waits as long as the error asks, if that is longer', () => {
    expect(after({ retryAfterMs: 50 })).toMatchObject({ delayMs: 50 })
    expect(after({ retryAfterMs: 1 })).toMatchObject({ delayMs: 5 })
  })

  it('gives up at once where trying again cannot help', () => {
    expect(after({ mayRetry: false }).type).toBe('failed')
  })

  it('tries again for the listed names and codes only', () => {
    expect(after({ error: { name: 'TypeError', message: '' } }).type).toBe('failed')
    expect(after({ error: { name: 'BatonError', code: 'NODE_TIMEOUT', message: '' } }).type).toBe('retried')
  })
})

describe('a failure that stands', () => {
  it('goes to the fallback, with what had reached the node, and is taken', () => {
    const graph = graphOf(['a>n', 'b>n', 'n>c'], { n: { fallback: 'f' }, f: {} })
    const arrivals = [arrival('a', 'n', 'succeeded', { output: 1 }), arrival('b', 'n', 'skipped')]

    expect(fail(graph, nodeOf(graph, 'n'), claimOf('n', { arrivals }), error)).toEqual({
      type: 'failed',
      error,
      takenBy: { always: true, ifStarted: [] },
      arrivals: [
        { to: 'f', edge: 'a->n', from: 'a', fate: 'succeeded', rule: 'all', of: 3 },
        { to: 'f', edge: 'b->n', from: 'b', fate: 'skipped', rule: 'all', of: 3 },
        { to: 'f', edge: 'n!', from: 'n', fate: 'failed', rule: 'all', of: 3 },
      ],
    })
  })

  it('of a fallback goes along the edges of its node', () => {
    const graph = graphOf(['n>c'], { n: { fallback: 'f' }, f: {} })
    const arrivals: ClaimedArrival[] = [{ edge: 'n!', from: 'n', fate: 'failed' }]

    expect(fail(graph, nodeOf(graph, 'f'), claimOf('f', { arrivals }), error)).toMatchObject({
      takenBy: { always: false, ifStarted: [] },
      arrivals: [{ to: 'c', edge: 'n->c', from: 'f', fate: 'failed' }],
      settlements: [{ instanceId: 'c', fate: { type: 'skipped', reason: 'upstream-failed' } }],
    })
  })

  it('of a predecessor is not for the fallback to repair', () => {
    const graph = graphOf(['a>n', 'b>n'], { n: { fallback: 'f' }, f: {} })
    const poison = { name: 'BatonError', code: 'PREDECESSOR_FAILED', message: '' }

    expect(fail(graph, nodeOf(graph, 'n'), claimOf('n'), poison)).toMatchObject({
      arrivals: [],
      takenBy: { always: false },
    })
  })

  it('of an item is for its map to judge', () => {
    const graph = graphOf([], { m: { map: {}, fallback: 'f' }, f: {} })

    expect(fail(graph, nodeOf(graph, 'm'), claimOf('m[0]', { item: 1 }), error)).toEqual({
      type: 'failed',
      error,
      takenBy: { always: true, ifStarted: [] },
      arrivals: [{ to: 'm', edge: '[0]', from: 'm[0]', fate: 'failed', rule: 'map', of: 0 }],
    })
  })
})

describe('afterSkip', () => {
  it('passes the skip on', () => {
    const graph = graphOf(['a>j', 'b>j', 'j>c'])
    const arrivals = [arrival('a', 'j', 'skipped'), arrival('b', 'j', 'skipped')]

    expect(afterSkip(graph, nodeOf(graph, 'j'), claimOf('j', { arrivals }))).toMatchObject({
      type: 'skipped',
      reason: 'not-taken',
      arrivals: [{ to: 'c', fate: 'skipped' }],
      settlements: [{ instanceId: 'c' }],
    })
  })
})

describe('afterItems', () => {
  const graph = graphOf(['a>m', 'm>c'], { m: { map: { maxFailures: 1 }, fallback: 'f' }, f: {} })
  const item = (index: number, output: number | undefined): ClaimedArrival =>
    output === undefined
      ? { edge: `[${index}]`, from: `m[${index}]`, fate: 'failed', error }
      : { edge: `[${index}]`, from: `m[${index}]`, fate: 'succeeded', output }
  const gathered = (...items: ClaimedArrival[]) =>
    afterItems(
      graph,
      nodeOf(graph, 'm'),
      claimOf('m', {
        map: { count: 3, maxFailures: 1 },
        arrivals: [arrival('a', 'm', 'succeeded', { output: [1, 2, 3] }), ...items],
      }),
    )

  it('lists the outputs in the order of the input, with null for what failed', () => {
    expect(gathered(item(2, 22), item(0, 20), item(1, undefined))).toMatchObject({
      type: 'succeeded',
      output: [20, null, 22],
      arrivals: [{ to: 'c', fate: 'succeeded' }],
    })
  })

  it('fails with one failure too many, and hands its fallback what had reached the map', () => {
    expect(gathered(item(0, undefined), item(2, undefined))).toMatchObject({
      type: 'failed',
      error: { code: 'MAP_FAILED', message: expect.stringMatching(/2 of 3 items failed; m\[0\]: no/) as string },
      arrivals: [
        { to: 'f', edge: 'a->m', from: 'a', fate: 'succeeded', of: 2 },
        { to: 'f', edge: 'm!', from: 'm', fate: 'failed', of: 2 },
      ],
    })
  })
})
