import { inspect, isDeepStrictEqual } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatonError } from '../model/errors.ts'
import { deepEqual, type JsonValue } from '../model/json.ts'
import { assertEncodable, JsonSerializer } from './json-serializer.ts'

const serializer = new JsonSerializer()
const encode = (value: unknown) => serializer.encode(value, 'output')
/** Through the text of a store and back. */
const again = (value: unknown) => serializer.decode(JSON.parse(JSON.stringify(encode(value))))

describe('JsonSerializer', () => {
  it.each([null, true, 0, 1.5, 'text', [], {}, [1, [2]], { a: { b: [null] } }])(
    'leaves plain JSON as it is: %j',
    (value) => {
      expect(encode(value)).toEqual(value)
      expect(again(value)).toEqual(value)
    },
  )

  it('tags what JSON lacks', () => {
    expect(encode(new Date(0))).toEqual({ $baton: 'date', value: '1970-01-01T00:00:00.000Z' })
    expect(encode(12n)).toEqual({ $baton: 'bigint', value: '12' })
    expect(encode(new Map([['a', 1n]]))).toEqual({ $baton: 'map', value: [['a', { $baton: 'bigint', value: '1' }]] })
    expect(encode(new Set([1]))).toEqual({ $baton: 'set', value: [1] })
    expect(encode(new Uint8Array([1, 2, 255]))).toEqual({ $baton: 'bytes', value: 'AQL/' })
    expect(encode([undefined, Number.NaN, -0])).toEqual([
      { $baton: 'undefined' },
      { $baton: 'number', value: 'NaN' },
      { $baton: 'number', value: '-0' },
    ])
  })

  it('gives them back', () => {
    const value = {
      dates: [new Date(0), new Date(8.64e15), new Date(-8.64e15), new Date('2024-02-29T12:34:56.789Z')],
      map: new Map<unknown, unknown>([
        [{ key: 1 }, new Set([new Map()])],
        [undefined, Number.NEGATIVE_INFINITY],
      ]),
      big: -(2n ** 200n),
      list: [undefined, Number.NaN, Number.POSITIVE_INFINITY, -0],
      nothing: null,
    }

    expect(again(value)).toStrictEqual(value)
    expect(again(undefined)).toBeUndefined()
  })

  it('gives bytes back as a Uint8Array, also from a Buffer or a window on a larger buffer', () => {
    const bytes = Uint8Array.from({ length: 100_001 }, (_, index) => index % 256)

    expect(again(bytes)).toStrictEqual(bytes)
    expect(again(Buffer.from('grüß'))).toStrictEqual(new Uint8Array(Buffer.from('grüß')))
    expect(again(bytes.subarray(3, 7))).toStrictEqual(new Uint8Array([3, 4, 5, 6]))
    expect(again(new Uint8Array())).toStrictEqual(new Uint8Array())
  })

  it('gives errors back with name, message, stack, code and cause', () => {
    class PaymentError extends Error {
      override readonly name = 'PaymentError'
      readonly code = 'E_CARD'
    }
    const error = new PaymentError('declined', { cause: new TypeError('bad card', { cause: { at: new Date(5) } }) })

    const copy = again(error) as Error & { code: string; cause: Error }

    expect(copy).toBeInstanceOf(Error)
    expect(copy).not.toBeInstanceOf(PaymentError)
    expect([copy.name, copy.message, copy.stack, copy.code]).toEqual([
      'PaymentError',
      'declined',
      error.stack,
      'E_CARD',
    ])
    expect([copy.cause.name, copy.cause.message, copy.cause.cause]).toEqual([
      'TypeError',
      'bad card',
      { at: new Date(5) },
    ])
    expect(Object.keys(again(new Error('plain')) as Error)).toEqual([])
    expect((again(new BatonError('TOO_LARGE')) as { code?: unknown }).code).toBe('TOO_LARGE')
    expect((again(new DOMException('stop', 'AbortError')) as Error).name).toBe('AbortError')
  })

  it('escapes objects of the user that look like tags', () => {
    const values = [
      { $baton: 'date', value: 'x' },
      { $baton: { $baton: 'set', value: [1n] } },
      { $baton: undefined, a: 1 },
      { $baton: 'object', value: { $baton: 'object', value: {} } },
    ]

    expect(encode(values[0])).toEqual({ $baton: 'object', value: values[0] })
    expect(values.map(again)).toEqual(values)
  })

  it('leaves out members that are undefined, and accepts shared references and objects without a prototype', () => {
    const shared = { n: 1 }
    const bare = Object.assign(Object.create(null), { a: shared, b: shared, c: undefined })

    expect(again(bare)).toStrictEqual({ a: { n: 1 }, b: { n: 1 } })
    expect(again({ constructor: 1, toString: 2 })).toEqual({ constructor: 1, toString: 2 })
  })

  it('accepts plain objects of another realm', () => {
    const foreign: unknown = runInContext('({ a: { b: 1 } })', createContext())

    expect(again(foreign)).toStrictEqual({ a: { b: 1 } })
  })

  it('shares nothing with the caller, in either direction', () => {
    const value = { list: [{ n: 1 }] }

    const encoded = encode(value) as typeof value
    const first = serializer.decode(encoded) as typeof value
    value.list[0] = { n: 2 }
    first.list.push({ n: 3 })

    expect(encoded).toEqual({ list: [{ n: 1 }] })
    expect(serializer.decode(encoded)).toEqual({ list: [{ n: 1 }] })
  })

  it('accepts 64 levels and refuses 65', () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : { a: nest(levels - 1) })

    expect(again(nest(64))).toEqual(nest(64))
    expect(() => encode(nest(65))).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })

  it('decodes an own __proto__ of a foreign journal as a mere member', () => {
    const decoded = serializer.decode(JSON.parse('{"__proto__":{"polluted":1}}')) as { polluted?: unknown }

    expect(decoded.polluted).toBeUndefined()
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(Object.keys(decoded)).toEqual(['__proto__'])
  })

  it.each<JsonValue>([
    { $baton: 'future', value: 1 },
    { $baton: 5 },
    { $baton: 'date', value: 'never' },
    { $baton: 'date', value: null },
    { $baton: 'bigint', value: '1e5' },
    { $baton: 'bytes', value: '***' },
    { $baton: 'bytes', value: 'A' },
    { $baton: 'number', value: '7' },
    { $baton: 'map', value: [[1]] },
    { $baton: 'set', value: {} },
    { $baton: 'object', value: [] },
    { $baton: 'error', value: 'text' },
  ])('refuses a tag that it cannot have written: %j', (json) => {
    expect(() => serializer.decode([json])).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })

  it('brings back any value that it accepts', () => {
    fc.assert(
      fc.property(aValue, (value) => {
        const copy = again(value)

        expect(isDeepStrictEqual(copy, value), `${inspect(copy)} is not ${inspect(value)}`).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is the identity on plain JSON without tags', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as object), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as JsonValue
        fc.pre(!JSON.stringify(json).includes('__proto__'))

        expect(deepEqual(encode(json), json)).toBe(true)
      }),
    )
  })
})

describe('what cannot be kept', () => {
  class Money {
    amount = 1
  }
  const cycle: { self?: unknown; list: unknown[] } = { list: [] }
  cycle.list.push({ back: cycle })
  const map = new Map<string, unknown>([
    ['fine', 1],
    ['odd', Symbol('s')],
  ])
  class Later extends Date {}

  it.each<[string, unknown, string]>([
    ['a function', { items: [1, 2, 3, { callback: () => {} }] }, 'output.items[3].callback'],
    ['a symbol', { a: Symbol('s') }, 'output.a'],
    ['a function by itself', () => {}, 'output'],
    ['a class instance', { price: new Money() }, 'output.price'],
    ['a subclass of Date', [new Later()], 'output[0]'],
    ['a promise', { 'odd name': Promise.resolve() }, 'output["odd name"]'],
    ['a regular expression', { a: /x/ }, 'output.a'],
    ['another typed array', { a: new Float64Array(1) }, 'output.a'],
    ['an object that inherits from another', { a: Object.create({ b: 1 }) }, 'output.a'],
    ['a cycle', cycle, 'output.list[0].back'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'output.at'],
    ['a symbol in a Map', { cache: map }, 'output.cache[1].value'],
    ['a function as key of a Map', new Map([[() => {}, 1]]), 'output[0].key'],
    ['a function in a Set', { tags: new Set([1, () => {}]) }, 'output.tags[1]'],
    ['a cause of an error', [new Error('x', { cause: { fn: () => {} } })], 'output[0].cause.fn'],
  ])('%s is refused with its path', (_, value, field) => {
    const refusal = expect.objectContaining({ code: 'INVALID_VALUE', field })
    expect(() => encode(value)).toThrow(refusal)
    expect(() => assertEncodable(value, 'output')).toThrow(refusal)
  })

  it('includes __proto__ as an own member, at any depth', () => {
    const value = { a: [JSON.parse('{"__proto__":{"admin":true}}')] }

    const refusal = expect.objectContaining({ code: 'FORBIDDEN_KEY', field: 'output.a[0].__proto__' })
    expect(() => encode(value)).toThrow(refusal)
    expect(() => assertEncodable(value, 'output')).toThrow(refusal)
    expect(() => encode(JSON.parse('{"__proto__":null}'))).toThrow(expect.objectContaining({ code: 'FORBIDDEN_KEY' }))
  })

  it('is the same for assertEncodable and encode, down to the message', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(refusalOf(() => assertEncodable(value, 'f'))).toEqual(refusalOf(() => serializer.encode(value, 'f')))
      }),
      { numRuns: 2_000 },
    )
  })
})

function refusalOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return BatonError.is(error) ? [error.code, error.field, error.message] : error
  }
}

const names = fc
  .oneof(fc.string(), fc.constantFrom('$baton', 'value', 'constructor'))
  .filter((name) => name !== '__proto__')
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, null, undefined, true),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 20 }),
)
const aValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; key: unknown }>((tie) => ({
  key: fc.oneof(fc.string(), fc.integer()),
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie('key'), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc
      .dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true })
      .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))),
  ),
})).value
const anything = fc.oneof(
  aValue,
  fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withBigInt: true,
    withBoxedValues: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
  }),
  fc
    .tuple(
      aValue,
      fc.constantFrom(() => {}, Symbol('s'), new Date(Number.NaN), /x/, JSON.parse('{"__proto__":1}')),
    )
    .map((pair) => ({ pair })),
)
