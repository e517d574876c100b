import { expect, it } from 'vitest'
import { asWritten } from './copy.ts'

it('gives what would be read back after it was written', () => {
  const sparse = [1]
  sparse[2] = 3
  const value = {
    numbers: [Number.NaN, -0, Number.POSITIVE_INFINITY, 1.5],
    sparse,
    absent: undefined,
    inList: [undefined, null, { absent: undefined }],
    own: JSON.parse('{"__proto__":{"a":1}}'),
  }
  const written = asWritten(value)
  expect(written).toStrictEqual(JSON.parse(JSON.stringify(value)))
  expect(Object.is(written.numbers[1], 0)).toBe(true)
})
