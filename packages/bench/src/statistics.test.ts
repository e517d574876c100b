import { describe, expect, it } from 'vitest'
import { spreadOf } from './statistics.ts'

describe('The spread of samples', () => {
  it('has the middle one of an odd number as its median', () => {
    expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 })
  })

  it('has the mean of the middle two of an even number as its median', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
  })
})
