import { describe, expect, it } from 'vitest'
import { countedWork, graph, ladder } from '../../test/graphs.ts'
import { createFlow, type Flow } from '../flow/create-flow.ts'
import type { Blueprint } from '../model/blueprint.ts'
import { lintBlueprint } from './lint-blueprint.ts'
import { type LintCode, lintRules } from './lint-rules.ts'

const f = () => undefined
const ab = (options: { readonly deadlineMs?: number } = {}): Flow => createFlow('x', options).node('a', f).node('b', f)

/** For each code: a flow that gives it, where, and the nearest flow that does not. */
const cases: { readonly [Code in LintCode]: readonly (readonly [wrong: Flow, field: string, right: Flow])[] } = {
  ANY_OF_ONE: [
    [
      createFlow('x').node('a', f).node('b', f, { joinStrategy: 'any' }).edge('a', 'b'),
      'nodes[1].config.joinStrategy',
      ab().node('c', f, { joinStrategy: 'any' }).edge('a', 'c').edge('b', 'c'),
    ],
    [
      createFlow('x').node('a', f, { joinStrategy: 'any' }),
      'nodes[0].config.joinStrategy',
      createFlow('x').node('a', f),
    ],
  ],
  FALLBACK_JOIN_IGNORED: [
    [
      createFlow('x').node('a', f, { fallback: 'b' }).node('b', f, { joinStrategy: 'any' }),
      'nodes[1].config.joinStrategy',
      createFlow('x').node('a', f, { fallback: 'b' }).node('b', f),
    ],
  ],
  NOTHING_TO_CANCEL: [
    [
      ab()
        .node('join', f, { joinStrategy: 'any', cancelLosers: true })
        .node('c', f)
        .edge('a', 'join')
        .edge('b', 'join')
        .edge('a', 'c')
        .edge('b', 'c'),
      'nodes[2].config.cancelLosers',
      ab()
        .node('join', f, { joinStrategy: 'any', cancelLosers: true })
        .node('c', f)
        .edge('a', 'join')
        .edge('b', 'join')
        .edge('a', 'c'),
    ],
  ],
  NO_EDGE_FOR_THE_REST: [
    [
      ab()
        .node('c', f)
        .edge('a', 'b', { action: 'x' })
        .edge('a', 'c', { condition: () => true }),
      'nodes[0]',
      ab().node('c', f).edge('a', 'b', { action: 'x' }).edge('a', 'c'),
    ],
    [
      createFlow('x').approval('ask').node('b', f).edge('ask', 'b', { action: 'denied' }),
      'nodes[0]',
      createFlow('x').approval('ask').node('b', f).edge('ask', 'b', { action: 'approved' }),
    ],
    [
      ab()
        .edge('a', 'b', { action: 'good' })
        .edge('a', 'a', { action: 'again', loop: { maxVisits: 3 } }),
      'nodes[0]',
      ab()
        .edge('a', 'b')
        .edge('b', 'a', { action: 'again', loop: { maxVisits: 3 } }),
    ],
  ],
  ACTION_NEVER_RETURNED: [
    [
      createFlow('x')
        .approval('ask')
        .node('b', f)
        .node('c', f)
        .edge('ask', 'b', { action: 'approve' })
        .edge('ask', 'c', { action: 'approved' }),
      'edges[0].action',
      createFlow('x')
        .approval('ask')
        .node('b', f)
        .node('c', f)
        .edge('ask', 'b', { action: 'denied' })
        .edge('ask', 'c', { action: 'approved' }),
    ],
    [
      createFlow('x')
        .sleep('rest', 1)
        .node('b', f)
        .node('c', f)
        .edge('rest', 'b', { action: 'done' })
        .edge('rest', 'c'),
      'edges[0].action',
      ab().node('c', f).edge('a', 'b', { action: 'done' }).edge('a', 'c'),
    ],
    [
      createFlow('x').map('each', f).node('b', f).edge('each', 'b', { action: 'done' }),
      'edges[0].action',
      createFlow('x').map('each', f).node('b', f).edge('each', 'b'),
    ],
    [
      (createFlow('x').child('run', 'y').node('b', f).node('c', f) as Flow)
        .edge('run', 'b', { action: 'done' })
        .edge('run', 'c'),
      'edges[0].action',
      (createFlow('x').child('run', 'y').node('b', f) as Flow).edge('run', 'b'),
    ],
  ],
  LOOP_WITHOUT_END: [
    [
      createFlow('x')
        .node('a', f)
        .edge('a', 'a', { loop: { maxVisits: 3 } }),
      'edges[0]',
      createFlow('x')
        .node('a', f)
        .edge('a', 'a', { condition: () => true, loop: { maxVisits: 3 } }),
    ],
    [
      // What leads out does not end it.
      ab()
        .node('c', f)
        .edge('a', 'b')
        .edge('b', 'a', { loop: { maxVisits: 3 } })
        .node('d', f)
        .edge('b', 'c', { action: 'good' })
        .edge('b', 'd'),
      'edges[1]',
      ab()
        .node('c', f)
        .edge('a', 'b', { action: 'on' })
        .edge('a', 'c')
        .edge('b', 'a', { loop: { maxVisits: 3 } }),
    ],
  ],
  LOOP_OF_ONE: [
    [
      createFlow('x')
        .node('a', f)
        .edge('a', 'a', { action: 'again', loop: { maxVisits: 1 } }),
      'edges[0].loop.maxVisits',
      createFlow('x')
        .node('a', f)
        .edge('a', 'a', { action: 'again', loop: { maxVisits: 2 } }),
    ],
  ],
  DENIAL_TAKES_BOTH: [
    [
      createFlow('x')
        .approval('ask')
        .node('ship', f)
        .node('sorry', f)
        .edge('ask', 'ship')
        .edge('ask', 'sorry', { action: 'denied' }),
      'edges[0]',
      createFlow('x')
        .approval('ask')
        .node('ship', f)
        .node('sorry', f)
        .edge('ask', 'ship', { action: 'approved' })
        .edge('ask', 'sorry', { action: 'denied' }),
    ],
  ],
  DOUBLE_EDGE: [
    [
      ab().edge('a', 'b').edge('a', 'b', { action: 'x' }),
      'edges[1]',
      ab()
        .edge('a', 'b', { condition: f as never })
        .edge('a', 'b', { action: 'x' })
        .node('c', f)
        .edge('a', 'c'),
    ],
  ],
  LONELY_NODE: [[ab().node('c', f).edge('a', 'b'), 'nodes[2]', ab().node('c', f)]],
  MAP_OF_NO_LIST: [
    [
      ab().map('c', f).edge('a', 'c').edge('b', 'c'),
      'nodes[2]',
      ab().map('c', f, { joinStrategy: 'any' }).edge('a', 'c').edge('b', 'c'),
    ],
    [
      createFlow('x').map('a', f, { inputs: { of: { run: true } } }),
      'nodes[0].config.inputs',
      createFlow('x').node('a', f, { inputs: { of: { run: true } } }),
    ],
    [
      (createFlow('x').sleep('rest', 1).map('each', f) as Flow).edge('rest', 'each'),
      'nodes[1]',
      (createFlow('x').sleep('rest', 1).map('each', f) as Flow).edge('rest', 'each', { transform: () => [1] }),
    ],
    [
      (createFlow('x').approval('ask').map('each', f) as Flow).edge('ask', 'each'),
      'nodes[1]',
      createFlow('x').waitForSignal('list', { signal: 's' }).map('each', f).edge('list', 'each'),
    ],
  ],
  MAP_CONCURRENCY: [
    [
      createFlow('x').map('a', f, { concurrency: 1_001 }),
      'nodes[0].config.map.concurrency',
      createFlow('x').map('a', f, { concurrency: 1_000 }),
    ],
  ],
  RETRY_NEVER: [
    [
      createFlow('x').node('a', f, { retry: { delayMs: 100 } }),
      'nodes[0].config.retry',
      createFlow('x').node('a', f, { retry: { attempts: 2, delayMs: 100 } }),
    ],
  ],
  RETRY_OF_FATAL: [
    [
      createFlow('x').node('a', f, { retry: { attempts: 2, errors: ['TypeError', 'FatalError'] } }),
      'nodes[0].config.retry.errors[1]',
      createFlow('x').node('a', f, { retry: { attempts: 2, errors: ['TypeError', 'NODE_TIMEOUT'] } }),
    ],
    [
      createFlow('x').node('a', f, { retry: { attempts: 2, errors: ['INVALID_VALUE'] } }),
      'nodes[0].config.retry.errors[0]',
      createFlow('x').node('a', f, { retry: { attempts: 2, errors: ['toString'] } }),
    ],
  ],
  RETRY_ON_WAIT: [
    [
      createFlow('x').approval('ask', { config: { retry: { attempts: 3 } } }),
      'nodes[0].config.retry',
      createFlow('x').node('ask', f, { retry: { attempts: 3 } }),
    ],
    [
      createFlow('x').child('run', 'y', { config: { retry: { attempts: 3 } } }),
      'nodes[0].config.retry',
      createFlow('x').child('run', 'y'),
    ],
  ],
  RETRY_BEYOND_DEADLINE: [
    [
      createFlow('x', { deadlineMs: 5_000 }).node('a', f, { retry: { attempts: 4, jitter: 0 } }),
      'nodes[0].config.retry',
      createFlow('x', { deadlineMs: 5_000 }).node('a', f, { retry: { attempts: 3, jitter: 0 } }),
    ],
    [
      createFlow('x', { deadlineMs: 10 ** 12 }).node('a', f, {
        retry: { attempts: 10 ** 9, delayMs: 2_000, factor: 1 },
      }),
      'nodes[0].config.retry',
      createFlow('x', { deadlineMs: 10 ** 12 }).node('a', f, { retry: { attempts: 10 ** 9, delayMs: 0 } }),
    ],
  ],
  TIMEOUT_BEYOND_DEADLINE: [
    [
      createFlow('x', { deadlineMs: 1_000 }).node('a', f, { timeoutMs: 1_001 }),
      'nodes[0].config.timeoutMs',
      createFlow('x', { deadlineMs: 1_000 }).node('a', f, { timeoutMs: 1_000 }),
    ],
  ],
  WAIT_BEYOND_DEADLINE: [
    [
      createFlow('x', { deadlineMs: 1_000 }).sleep('a', 1_000),
      'nodes[0].params.delayMs',
      createFlow('x', { deadlineMs: 1_000 }).sleep('a', 999),
    ],
    [
      createFlow('x', { deadlineMs: 1_000 }).approval('a', { timeoutMs: 86_400_000 }),
      'nodes[0].params.timeoutMs',
      createFlow('x').approval('a', { timeoutMs: 86_400_000 }),
    ],
  ],
}

const listed = Object.entries(cases).flatMap(([code, flows]) =>
  flows.map(([wrong, field, right], index) => ({ code: code as LintCode, index, wrong, field, right })),
)

describe('lintBlueprint', { timeout: 120_000 }, () => {
  it.each(listed)('warns of $code where it is, and nowhere else ($index)', ({ code, wrong, field, right }) => {
    expect(lintBlueprint(wrong.toBlueprint())).toEqual([
      { code, field, message: expect.stringContaining(lintRules[code].about), hint: lintRules[code].hint },
    ])
    expect(lintBlueprint(right.toBlueprint())).toEqual([])
  })

  it('says which node and which edge is meant', () => {
    const blueprint = createFlow('x', { deadlineMs: 1_000 }).sleep('rest', 90_000).toBlueprint()

    expect(lintBlueprint(blueprint)[0]?.message).toMatch(/^rest, 90 s of 1 s: /)
  })

  it('refuses a blueprint that cannot run', () => {
    expect(() => lintBlueprint(graph('a>b b>a'))).toThrow(expect.objectContaining({ code: 'INVALID_BLUEPRINT' }))
    expect(() => lintBlueprint(undefined as unknown as Blueprint)).toThrow(
      expect.objectContaining({ code: 'INVALID_BLUEPRINT' }),
    )
  })

  it('does ten times the work for ten times the graph', () => {
    const work = (nodes: number) => countedWork(() => lintBlueprint(ladder(nodes)))

    expect(work(10_000)).toBeLessThan(10.5 * work(1_000))
  })
})
