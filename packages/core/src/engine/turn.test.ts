import { describe, expect, it } from 'vitest'
import { claimOf } from '../../test/claims.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import { nodeOfInstance } from '../model/ids.ts'
import type { Fate } from '../model/run.ts'
import type { ClaimedArrival } from '../ports/claim.ts'
import { cascade } from './cascade.ts'
import { afterSuccess, fail, judge } from './decide.ts'
import { compileGraph, type Graph, nodeOf } from './graph.ts'
import { inputOf } from './input.ts'
import { afterVisit } from './turn.ts'

/** Edges as `a>b`, or `a>b 3` for one that leads back three visits at most. Its condition is its own name. */
function graphOf(edges: readonly string[], configs: Record<string, object> = {}): Graph {
  const pairs = edges.map((edge) => edge.split(/[> ]/) as [string, string, string?])
  const ids = new Set([...edges.flatMap((edge) => edge.split(' ')[0]?.split('>') ?? []), ...Object.keys(configs)])
  return compileGraph(
    checkBlueprint({
      id: 'flow',
      nodes: [...ids].map((id) => ({ id, uses: 'x', config: configs[id] })),
      edges: pairs.map(([source, target, maxVisits]) => ({
        source,
        target,
        ...(maxVisits === undefined ? {} : { loop: { maxVisits: Number(maxVisits) }, condition: 'again' }),
      })),
    }),
  )
}

/** What an instance sends when it succeeds, takes these of its edges and leaves the others. */
function succeed(graph: Graph, instanceId: string, ...takes: string[]) {
  const node = nodeOf(graph, nodeOfInstance(instanceId))
  const taken = node.outgoing.map(({ id }) => takes.includes(id))
  const outcome = afterSuccess(graph, node, claimOf(instanceId), { taken })
  if (outcome.type !== 'succeeded') throw new Error(outcome.type)
  return outcome
}

const brief = (arrivals: readonly { readonly to: string; readonly edge: string; readonly fate: Fate }[]) =>
  arrivals.map(({ to, edge, fate }) => `${edge} ${fate} at ${to}`)

function turn(graph: Graph, instanceId: string, ...taken: (readonly [edge: string, from: string])[]) {
  const arrivals = taken.map(([edge, from]) => ({ edge, from, fate: 'succeeded' as const }))
  const outcome = afterVisit(graph, nodeOf(graph, nodeOfInstance(instanceId)), claimOf(instanceId, { arrivals }))
  if (!('arrivals' in outcome)) throw new Error(outcome.type)
  return { type: outcome.type, arrivals: brief(outcome.arrivals) }
}

describe('a loop whose body is a line', () => {
  const graph = graphOf(['in>a', 'a>b', 'b>a 3', 'b>out', 'a>log'])

  it('goes round by the commit of its last node, and what leads out waits', () => {
    expect(brief(succeed(graph, 'b#2', 'b->a').arrivals)).toEqual(['b->a succeeded at a#3'])
    expect(brief(succeed(graph, 'a#2', 'a->b').arrivals)).toEqual(['a->b succeeded at b#2'])
  })

  it('ends when its last node takes no way back: what was never taken is skipped', () => {
    expect(brief(succeed(graph, 'b#2', 'b->out').arrivals)).toEqual([
      'b->out succeeded at out',
      'a->log skipped at log',
    ])
  })

  it('may lead out and go round at once', () => {
    expect(brief(succeed(graph, 'b', 'b->a', 'b->out').arrivals)).toEqual([
      'b->out succeeded at out',
      'b->a succeeded at a#2',
    ])
  })

  it('passes a failure on to what follows it, once, and settles nothing that an earlier visit may have reached', () => {
    const failed = fail(graph, nodeOf(graph, 'a'), claimOf('a#2'), { name: 'Error', message: 'no' })
    if (failed.type !== 'failed') throw new Error(failed.type)

    expect(brief(failed.arrivals)).toEqual(['a->b failed at b#2', 'a->log failed at log'])
    expect(failed.settlements?.map(({ instanceId }) => instanceId)).toEqual(['b#2'])
    expect(failed.settlements?.flatMap(({ arrivals }) => brief(arrivals))).toEqual([
      'b->out failed at out',
      'a->log skipped at log',
    ])
  })

  it('finds who takes a failure also behind what leads out', () => {
    const taken = graphOf(['a>a 3', 'a>x', 'x>j', 'y>j'], { j: { joinStrategy: 'any', anyFailure: 'ignore' } })

    expect(cascade(taken, nodeOf(taken, 'a'), 'a#2', ['failed', 'failed'])).toMatchObject({
      takenBy: { always: true },
      settlements: [],
    })
  })
})

describe('a loop whose body branches', () => {
  const graph = graphOf(['in>h', 'h>a', 'h>b', 'a>h 3', 'b>h 3', 'b>out'])

  it('turns by a join of all its nodes and ways back', () => {
    expect(brief(succeed(graph, 'h#2', 'h->a').arrivals)).toEqual([
      'h->a succeeded at a#2',
      'h->b skipped at b#2',
      'h! skipped at h#2!',
    ])
    expect(succeed(graph, 'a#2', 'a->h').arrivals).toEqual([
      { to: 'h#2!', edge: 'a->h', from: 'a#2', fate: 'succeeded', rule: 'all', of: 5 },
      { to: 'h#2!', edge: 'a!', from: 'a#2', fate: 'skipped', rule: 'all', of: 5 },
    ])
    expect(brief(succeed(graph, 'b#2').arrivals)).toEqual(['b->h skipped at h#2!', 'b! skipped at h#2!'])
  })

  it('begins one visit, by the first edge of the blueprint, however many were taken', () => {
    expect(turn(graph, 'h#2!', ['b->h', 'b#2'], ['a->h', 'a#2'])).toEqual({
      type: 'succeeded',
      arrivals: ['a->h succeeded at h#3'],
    })
    expect(turn(graph, 'h#1!', ['b->h', 'b'])).toEqual({ type: 'succeeded', arrivals: ['b->h succeeded at h#2'] })
  })

  it('ends when none was taken', () => {
    expect(turn(graph, 'h#2!')).toEqual({ type: 'skipped', arrivals: ['b->out skipped at out'] })
  })

  it('hears of a fallback in the place of its node, and of losers from the join that calls them off', () => {
    const any = graphOf(['h>a', 'h>b', 'a>j', 'b>j', 'j>h 3'], {
      a: { fallback: 'f' },
      f: {},
      j: { joinStrategy: 'any', cancelLosers: true },
    })
    const won = succeed(any, 'j#2')

    expect(brief(succeed(any, 'f#2', 'a->j').arrivals)).toContain('a! skipped at h#2!')
    expect(won.cancels).toEqual(['a#2', 'b#2', 'h#2'])
    expect(brief(won.arrivals)).toEqual(
      expect.arrayContaining(['a! skipped at h#2!', 'b! skipped at h#2!', 'j! skipped at h#2!']),
    )
  })
})

describe('a loop in a loop', () => {
  const graph = graphOf(['o>i', 'i>i 3', 'i>p', 'p>o 3', 'p>out', 'i>out'])

  it('begins anew in each visit of the outer one', () => {
    expect(brief(succeed(graph, 'o#2', 'o->i').arrivals)).toEqual(['o->i succeeded at i#2', 'o! skipped at o#2!'])
    expect(brief(succeed(graph, 'i#2', 'i->i').arrivals)).toEqual(['i->i succeeded at i#2#2'])
  })

  it('leads out to the visit of the outer one, which hears of its end', () => {
    expect(brief(succeed(graph, 'i#2#3', 'i->p').arrivals)).toEqual(['i->p succeeded at p#2', 'i! skipped at o#2!'])
  })

  it('says nothing of an edge out of both before the outer one has ended', () => {
    expect(turn(graph, 'o#2!')).toEqual({
      type: 'skipped',
      arrivals: ['p->out skipped at out', 'i->out skipped at out'],
    })
  })

  it('may lead back to the outer one', () => {
    const back = graphOf(['o>i', 'i>i 3', 'i>o 3', 'i>out'])

    expect(brief(succeed(back, 'i#2#3', 'i->o').arrivals)).toEqual(['i->o succeeded at o#2!', 'i! skipped at o#2!'])
    expect(brief(succeed(back, 'i#2#3', 'i->i').arrivals)).toEqual(['i->i succeeded at i#2#4'])
    expect(brief(succeed(back, 'i#2#3').arrivals)).toEqual(['i->o skipped at o#2!', 'i! skipped at o#2!'])
  })
})

describe('a visit that is not the first', () => {
  const graph = graphOf(['x>a', 'y>a', 'a>a 3', 'a>out'], { a: { inputs: {}, fallback: 'f' }, f: {} })
  const back: ClaimedArrival = { edge: 'a->a', from: 'a', fate: 'succeeded', output: 7 }

  it('runs as often as the edge allows, and then fails with no fallback to take it', () => {
    const a = nodeOf(graph, 'a')
    const verdict = judge(a, claimOf('a#4', { arrivals: [back] }))

    expect(judge(a, claimOf('a#3', { arrivals: [back] }))).toEqual({ type: 'run' })
    expect(verdict).toMatchObject({ type: 'fail', error: { code: 'MAX_VISITS' } })
    if (verdict.type !== 'fail') return
    expect(fail(graph, a, claimOf('a#4', { arrivals: [back] }), verdict.error)).toMatchObject({
      takenBy: { always: false },
    })
    expect(fail(graph, a, claimOf('a#3', { arrivals: [back] }), { name: 'Error', message: 'no' })).toMatchObject({
      takenBy: { always: true },
      arrivals: [
        { to: 'f#3', edge: 'a->a' },
        { to: 'f#3', edge: 'a!' },
      ],
    })
  })

  it('gets what the edge that led back brought, also where several nodes lead to the first one', () => {
    const codes = { serializer: { encode: (value: never) => value, decode: (value: unknown) => value } }
    const plain = graphOf(['x>a', 'y>a', 'a>a 3'])
    const named = graphOf(['x>a', 'b>a 3', 'a>b'], { a: { inputs: { last: { node: 'b' }, first: { node: 'x' } } } })

    expect(inputOf(nodeOf(plain, 'a'), claimOf('a#2', { arrivals: [back] }), codes)).toBe(7)
    expect(inputOf(nodeOf(named, 'a'), claimOf('a#2', { arrivals: [{ ...back, edge: 'b->a' }] }), codes)).toEqual({
      last: 7,
    })
  })

  it('gives the output of the run only where it is the last', () => {
    const last = graphOf(['a>a 3'])

    expect(succeed(last, 'a#2', 'a->a').resultOf).toBeUndefined()
    expect(succeed(last, 'a#2').resultOf).toBe('a')
  })
})
