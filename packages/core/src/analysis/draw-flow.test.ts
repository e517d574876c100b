import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countedWork, graph, ladder } from '../../test/graphs.ts'
import { createFlow } from '../flow/create-flow.ts'
import type { Blueprint } from '../model/blueprint.ts'
import { drawFlow } from './draw-flow.ts'
import { columnsOf } from './text-columns.ts'

interface Cost {
  readonly work: number
  readonly size: number
}

describe('drawFlow', { timeout: 120_000 }, () => {
  it('draws branches, joins, maps, waits, conditions and fallbacks, layer by layer', () => {
    const flow = createFlow('claims', { version: '2' })
      .node('assess', () => ({ action: 'large' }))
      .approval('ask')
      .map('each', () => {}, { concurrency: 4, retry: { attempts: 3 } })
      .sleep('rest', 90_000)
      .waitForSignal('paid', { signal: 'bank' })
      .node('pay', () => {}, { joinStrategy: 'any', anyFailure: 'ignore', fallback: 'spare', timeoutMs: 2_000 })
      .node('spare', () => {}, { retry: { attempts: 2 } })
      .node('end', () => {})
      .edge('assess', 'ask', { action: 'large' })
      .edge('assess', 'each', { condition: () => true, transform: (output) => output })
      .edge('ask', 'pay', { condition: 'sure', transform: 'short' })
      .edge('each', 'pay')
      .edge('rest', 'paid')
      .edge('pay', 'end')

    expect(drawFlow(flow.toBlueprint())).toBe(`claims@2: 8 nodes, 6 edges, 4 layers, at most 3 side by side

1 ●      assess
  ├─┐    large → ask
  │ │    if its condition holds, transformed → each
  │ │ ●  rest  (waits 90 s)
2 ● │ │  ask  (asks people)
  │ │ │  if sure, by short → pay
  │ ● │  each  (for each item, 4 at a time; 3 attempts)
  ├─┘ │
  │   ○  paid  (waits for the signal bank)
3 ●      pay  (after any, whoever fails; at most 2 s)
  │      if it fails: spare  (2 attempts)
4 ○      end
`)
  })

  it('draws lines that cross and lines that meet', () => {
    expect(
      drawFlow(graph('a>d b>e c>f a>f d>g e>g f>g a>g')),
    ).toBe(`x: 7 nodes, 8 edges, 3 layers, at most 3 side by side

1 ●          a
  ├─┬─┐
  │ │ │ ●    b
  │ │ │ │ ●  c
  │ ├─│─│─┘
2 ● │ │ │    d
  └─│─┤ │
    │ │ ●    e
    │ ├─┘
    ● │      f  (after all)
    └─┤
3     ○      g  (after all)
`)
  })

  it('says what leads back', () => {
    expect(drawFlow(graph('a>b b>c c>b c>d'))).toBe(`x: 4 nodes, 4 edges, 4 layers, at most 1 side by side

1 ●  a
2 ●  b
3 ●  c
  │  back to b
4 ○  d
`)
  })

  it('says how often a loop may be visited', () => {
    const flow = createFlow('x')
      .node('a', () => {})
      .edge('a', 'a', { action: 'again', loop: { maxVisits: 5 } })

    expect(drawFlow(flow.toBlueprint())).toContain('\n     again, at most 5 visits → back to a\n')
  })

  it('tells apart what only happens to stand below each other', () => {
    expect(drawFlow(graph('a b>c'))).toBe(`x: 3 nodes, 1 edge, 2 layers, at most 2 side by side

1 ○  a
  ●  b
2 ○  c
`)
  })

  it('says in words what it has no lines for', () => {
    const wide = graph(Array.from({ length: 40 }, (_, index) => `s>b${index} b${index}>j`).join(' '))

    const lines = drawFlow(wide).split('\n')

    expect(lines.slice(2, 6)).toEqual([
      '1 ●                        s',
      '  ├─┬─┬─┬─┬─┬─┬─┬─┬─┬─┬─┐  on to b12, b13, b14, b15, b16, b17, b18, b19 and 20',
      '  │ │ │ │ │ │ │ │ │ │ │ │    more, further down',
      '2 ● │ │ │ │ │ │ │ │ │ │ │  b0',
    ])
    expect(lines).toContain('  │ ●                      b12  (from s)')
    expect(lines.at(-2)).toBe('3 ○                        j  (after all)')
  })

  it('shows what a terminal would not show, or would obey', () => {
    const blueprint: Blueprint = {
      id: 'x',
      nodes: [
        { id: 'a\u202eb', uses: 'f' },
        { id: 'b', uses: 'baton/wait-for-signal', params: { signal: 'red\u001b[31m\n' } },
      ],
      edges: [{ source: 'a\u202eb', target: 'b', action: 'tab\u00a0' }],
    }

    expect(drawFlow(blueprint)).toContain('●  a\\u{202e}b')
    expect(drawFlow(blueprint)).toContain('b  (waits for the signal red\\u{1b}[31m\\u{a})')
    expect(drawFlow(blueprint)).toContain('tab\\u{a0} → b')
  })

  it('stays within 80 columns, names every node, and never ends a line in blanks', () => {
    const letters = fc.constantFrom(...'abcXYZ019-_漢字🎉é')
    const names = fc.uniqueArray(fc.string({ unit: letters, minLength: 1, maxLength: 60 }), {
      minLength: 1,
      maxLength: 40,
    })
    const links = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 120 })

    fc.assert(
      fc.property(names, links, (ids, pairs) => {
        const edges = pairs.map(([from, to], index) => ({
          id: `e${index}`,
          source: ids[from % ids.length] as string,
          target: ids[to % ids.length] as string,
          ...(index % 3 === 0 ? { action: `when ${index} and then some more words that need room` } : {}),
        }))
        const lines = drawFlow({ id: 'x', nodes: ids.map((id) => ({ id, uses: 'f' })), edges }).split('\n')

        for (const line of lines) {
          expect(columnsOf(line)).toBeLessThanOrEqual(80)
          expect(line).toBe(line.trimEnd())
        }
        expect(lines.filter((line) => /[●○]/.test(line))).toHaveLength(ids.length)
      }),
      { numRuns: 200 },
    )
  })

  it('does ten times the work for ten times the graph, and writes ten times the text', () => {
    const [small, large] = [1_000, 10_000].map((nodes) => {
      const blueprint = ladder(nodes)
      let size = 0
      const work = countedWork(() => {
        size = drawFlow(blueprint).length
      })
      return { work, size }
    }) as [Cost, Cost]

    expect(large.work).toBeLessThan(10.5 * small.work)
    expect(large.size).toBeLessThan(10.5 * small.size)
  })

  it('draws a fan of 10,000 and a line of 10,000', () => {
    const fan = graph(Array.from({ length: 9_998 }, (_, index) => `s>b${index} b${index}>j`).join(' '))
    const line = graph(Array.from({ length: 9_999 }, (_, index) => `n${index}>n${index + 1}`).join(' '))

    expect(
      drawFlow(fan)
        .split('\n')
        .filter((row) => /[●○]/.test(row)),
    ).toHaveLength(10_000)
    expect(drawFlow(line).split('\n')).toHaveLength(10_003)
  })
})
