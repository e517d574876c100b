import { expect, it } from 'vitest'
import { analyzeBlueprint } from './analyze-blueprint.ts'

it('tells where a graph starts, joins, loops and ends, and who only stands in', () => {
  const analysis = analyzeBlueprint({
    id: 'x',
    nodes: [
      { id: 'a', uses: 'f' },
      { id: 'b', uses: 'f', config: { fallback: 'spare' } },
      { id: 'c', uses: 'f' },
      { id: 'd', uses: 'f' },
      { id: 'spare', uses: 'f' },
    ],
    edges: [
      { source: 'a', target: 'c' },
      { source: 'b', target: 'c' },
      { source: 'b', target: 'd' },
      { source: 'd', target: 'b', loop: { maxVisits: 2 } },
    ],
  })

  expect(analysis).toEqual({
    startNodeIds: ['a', 'b'],
    terminalNodeIds: ['c', 'd'],
    joinNodeIds: ['c'],
    loopNodeIds: ['b'],
    fallbackNodeIds: ['spare'],
  })
})
