import { describe, expect, it } from 'vitest'
import { isTurn, itemInstanceId, nodeOfInstance, parentOfItem, turnId, visitedId, visitsOf } from './ids.ts'

describe('the id of an instance', () => {
  it.each([
    ['node', []],
    ['node', [1]],
    ['node#2', [2]],
    ['node', [1, 1]],
    ['node#2', [2, 1]],
    ['node#1#3', [1, 3]],
    ['node#12#3', [12, 3]],
  ])('%s says its visits, and leaves out first ones at the end', (id, visits) => {
    expect(visitedId('node', visits)).toBe(id)
    expect(visitsOf(id, visits.length)).toEqual(visits)
    expect(nodeOfInstance(id)).toBe('node')
  })

  it('says the visit of an item of a map too', () => {
    const item = itemInstanceId(visitedId('node', [2, 3]), 7)

    expect(item).toBe('node#2#3[7]')
    expect(visitsOf(item, 2)).toEqual([2, 3])
    expect(parentOfItem(item)).toEqual({ map: 'node#2#3', index: 7 })
  })

  it('tells a turn from a visit and from a node of a strange name', () => {
    expect(turnId('node', [1])).toBe('node#1!')
    expect(visitsOf(turnId('node', [2, 13]), 2)).toEqual([2, 13])
    expect(nodeOfInstance(turnId('node', [2]))).toBe('node')
    expect(['node#1!', 'node#2', 'node!', 'node!#2', 'node'].map(isTurn)).toEqual([true, false, false, false, false])
  })
})
