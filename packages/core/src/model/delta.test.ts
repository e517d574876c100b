import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDelta, applyDeltas, type ContextEntry, checkKey, checkPath, composeDeltas, type Delta } from './delta.ts'
import { BatonError } from './errors.ts'
import { deepEqual, type JsonValue } from './json.ts'

const key = 'k'
const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null)
    for (const item of Object.values(Object.freeze(value))) deepFreeze(item)
  return value
}
const after = (value: JsonValue | undefined, ...deltas: readonly Delta[]): JsonValue | undefined =>
  deltas.reduce<JsonValue | undefined>((current, delta) => applyDelta(deepFreeze(current), deepFreeze(delta)), value)

describe('applyDelta', () => {
  it('sets, deletes, increments, appends and merges a whole key', () => {
    expect(after(1, { op: 'set', key, value: { a: 1 } })).toEqual({ a: 1 })
    expect(after(1, { op: 'delete', key })).toBeUndefined()
    expect(after(1, { op: 'increment', key, by: 2.5 })).toBe(3.5)
    expect(after([1], { op: 'append', key, values: [2, [3]] })).toEqual([1, 2, [3]])
    expect(after({ a: { x: 1 }, b: 2 }, { op: 'merge', key, value: { a: { y: 1 }, c: 3 } })).toEqual({
      a: { y: 1 },
      b: 2,
      c: 3,
    })
  })

  it('takes what is absent for 0, an empty array and an empty object', () => {
    expect(after(undefined, { op: 'increment', key, by: 2 })).toBe(2)
    expect(after(undefined, { op: 'append', key, values: [1] })).toEqual([1])
    expect(after(undefined, { op: 'merge', key, value: { a: 1 } })).toEqual({ a: 1 })
    expect(after(undefined, { op: 'delete', key })).toBeUndefined()
    expect(after({}, { op: 'delete', key, path: ['a', 'b'] })).toEqual({})
  })

  it('makes the objects that are missing on the way', () => {
    expect(after(undefined, { op: 'set', key, path: ['a', '0', 'b'], value: 1 })).toEqual({ a: { 0: { b: 1 } } })
    expect(after({ x: 1 }, { op: 'increment', key, path: ['a', 'b'], by: 1 })).toEqual({ x: 1, a: { b: 1 } })
  })

  it('shares what did not change, and gives back the same value when nothing did', () => {
    const value = { left: { deep: [1] }, right: { n: 1 } }

    const changed = after(value, { op: 'increment', key, path: ['right', 'n'], by: 1 }) as typeof value
    const same = after(value, { op: 'delete', key, path: ['right', 'nothing'] })

    expect(changed).toEqual({ left: { deep: [1] }, right: { n: 2 } })
    expect(changed.left).toBe(value.left)
    expect(same).toBe(value)
  })

  it('walks arrays by index, and adds an item one past the end', () => {
    expect(after({ l: [{ n: 1 }, { n: 2 }] }, { op: 'increment', key, path: ['l', '1', 'n'], by: 5 })).toEqual({
      l: [{ n: 1 }, { n: 7 }],
    })
    expect(after(['a'], { op: 'set', key, path: ['1'], value: 'b' })).toEqual(['a', 'b'])
    expect(after(['a'], { op: 'set', key, path: ['1', 'x'], value: 'b' })).toEqual(['a', { x: 'b' }])
  })

  it.each(['2', '-1', '01', '1.0', '', 'length', 'x', '99999999999999999999'])(
    'finds no place %j in an array of one',
    (segment) => {
      expect(() => after(['a'], { op: 'set', key, path: [segment], value: 1 })).toThrow(/DELTA_CONFLICT|has no place/)
    },
  )

  it('leaves null where an item of an array is deleted, so that other indexes hold', () => {
    expect(after(['a', 'b', 'c'], { op: 'delete', key, path: ['1'] })).toEqual(['a', null, 'c'])
    expect(after(['a'], { op: 'delete', key, path: ['7'] })).toEqual(['a'])
  })

  it.each<[JsonValue, Delta, string]>([
    [{ a: 'text' }, { op: 'set', key, path: ['a', 'b', 'c'], value: 1 }, 'context.k.a'],
    [{ a: null }, { op: 'set', key, path: ['a', 'b'], value: 1 }, 'context.k.a'],
    [5, { op: 'delete', key, path: ['a'] }, 'context.k'],
    ['text', { op: 'increment', key, by: 1 }, 'context.k'],
    [{ a: null }, { op: 'increment', key, path: ['a'], by: 1 }, 'context.k.a'],
    [{ a: 1 }, { op: 'append', key, path: ['a'], values: [1] }, 'context.k.a'],
    [[1], { op: 'merge', key, value: {} }, 'context.k'],
    [1e308, { op: 'increment', key, by: 1e308 }, 'context.k'],
    [{ d: { $baton: 'date', value: 'x' } }, { op: 'set', key, path: ['d', 'value'], value: 1 }, 'context.k.d'],
    [{ $baton: 'date', value: 'x' }, { op: 'merge', key, value: { a: 1 } }, 'context.k'],
  ])('refuses a change that does not fit, and names the place: %j %j', (value, delta, field) => {
    expect(() => after(value, delta)).toThrow(expect.objectContaining({ code: 'DELTA_CONFLICT', field }))
  })

  it('treats inherited members as absent, and never reaches a prototype', () => {
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))

    const made = after({}, { op: 'set', key, path: ['__proto__', 'polluted'], value: 1 })
    const merged = after({}, { op: 'merge', key, value: JSON.parse('{"__proto__":{"polluted":1}}') })
    const counted = after({}, { op: 'increment', key, path: ['toString'], by: 1 })

    expect(JSON.stringify(made)).toBe('{"__proto__":{"polluted":1}}')
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1}}')
    expect(counted).toEqual({ toString: 1 })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before)
  })
})

describe('applyDeltas', () => {
  const entries = new Map<string, ContextEntry>([
    ['a', { value: 1, version: 3 }],
    ['b', { value: { x: 1 }, version: 1 }],
  ])

  it('gives only the changed keys, each one version further however many deltas name it', () => {
    const changed = applyDeltas(entries, [
      { op: 'increment', key: 'a', by: 1 },
      { op: 'increment', key: 'a', by: 1 },
      { op: 'set', key: 'c', value: 'new' },
    ])

    expect(changed).toEqual(
      new Map([
        ['a', { value: 3, version: 4 }],
        ['c', { value: 'new', version: 1 }],
      ]),
    )
    expect(entries.get('a')).toEqual({ value: 1, version: 3 })
  })

  it('tells that a key is gone, and is silent about one that was not there and still is not', () => {
    const changed = applyDeltas(entries, [
      { op: 'delete', key: 'b' },
      { op: 'delete', key: 'never' },
      { op: 'set', key: 'brief', value: 1 },
      { op: 'delete', key: 'brief' },
    ])

    expect(changed).toEqual(new Map([['b', undefined]]))
  })

  it('checks every ifVersion against the version before the commit; an absent key has version 0', () => {
    const changed = applyDeltas(entries, [
      { op: 'set', key: 'a', value: 2, ifVersion: 3 },
      { op: 'set', key: 'a', path: [], value: 3, ifVersion: 3 },
      { op: 'set', key: 'c', value: 1, ifVersion: 0 },
    ])

    expect(changed.get('a')).toEqual({ value: 3, version: 4 })
    for (const delta of [
      { op: 'set', key: 'a', value: 2, ifVersion: 2 },
      { op: 'set', key: 'a', value: 2, ifVersion: 0 },
      { op: 'set', key: 'c', value: 2, ifVersion: 1 },
    ] as const) {
      expect(() => applyDeltas(entries, [delta])).toThrow(expect.objectContaining({ code: 'DELTA_CONFLICT' }))
    }
  })
})

describe('composeDeltas', () => {
  it.each<[string, Delta[], Delta[]]>([
    ['sets of one place', [set(1), set(2)], [set(2)]],
    ['sets of one path', [set(1, 'a'), set(9, 'b'), set(2, 'a')], [set(2, 'a'), set(9, 'b')]],
    ['increments', [inc(1, 'a'), inc(5, 'b'), inc(2, 'a')], [inc(3, 'a'), inc(5, 'b')]],
    ['appends', [append([1]), append([2, 3])], [append([1, 2, 3])]],
    ['merges', [merge({ a: 1 }), merge({ a: 2, b: 1 })], [merge({ a: 2, b: 1 })]],
    ['what a delete of the key covers', [set(1, 'a'), inc(1, 'b'), append([1], 'c'), del()], [del()]],
    ['what a set of the key covers', [set(1, 'a'), inc(1, 'b'), del('c'), set(7)], [set(7)]],
    ['what a set above covers', [set(1, 'a', 'x'), inc(1, 'a', 'y'), set({}, 'a')], [set({}, 'a')]],
    [
      'changes inside a value that was set',
      [set({ n: 1 }), inc(2, 'n'), del('m'), set(1, 'x', 'y')],
      [set({ n: 3, x: { y: 1 } })],
    ],
    ['a set and a delete of the key', [set(1), del(), inc(2)], [set(2)]],
    ['a delete of a member and its new value', [del('a'), set(1, 'a')], [set(1, 'a')]],
    ['deletes', [del('a', 'b'), del('a')], [del('a')]],
  ])('melts %s', (_, deltas, expected) => {
    expect(composeDeltas(deltas)).toEqual(expected)
  })

  it('keeps a delete below a set of its parts, since the set made the objects on the way', () => {
    const deltas = [set(1, 'a', 'b'), del('a', 'b')]

    expect(composeDeltas(deltas)).toEqual(deltas)
    expect(after(undefined, ...deltas)).toEqual({ a: {} })
  })

  it('takes the place of what it covers, since a later item may stand on it', () => {
    const deltas = [del('0', 'y'), set(1, '0', 'x'), set(2, '1'), set(9, '0')]

    expect(composeDeltas(deltas)).toEqual([set(9, '0'), set(2, '1')])
    expect(after([], ...composeDeltas(deltas))).toEqual([9, 2])
    expect(composeDeltas([del('0'), inc(1, '0')])).toHaveLength(2)
  })

  it('does in place what would otherwise copy a large object over and over', () => {
    const many = (make: (index: number) => Delta) => Array.from({ length: 20_000 }, (_, index) => make(index))

    const members = composeDeltas([set({}), ...many((index) => set(index, `m${index}`))])
    const merged = composeDeltas(many((index) => merge({ [`m${index}`]: index })))
    const items = composeDeltas([set([]), ...many((index) => append([index]))])
    const applied = applyDeltas(
      new Map(),
      many((index) => set(index, `m${index}`)),
    )

    expect([members.length, merged.length, items.length, applied.size]).toEqual([1, 1, 1, 1])
    expect((members[0] as { value: object }).value).toEqual(applied.get(key)?.value)
    expect((merged[0] as { value: object }).value).toEqual(applied.get(key)?.value)
  })

  it('keeps a guard when the guarded set is covered, and both when they differ', () => {
    const guarded: Delta = { op: 'set', key, value: 1, ifVersion: 3 }

    expect(composeDeltas([guarded, set(2)])).toEqual([{ ...set(2), ifVersion: 3 }])
    expect(composeDeltas([{ ...guarded, path: ['a'] }, set(2)])).toEqual([{ ...set(2), ifVersion: 3 }])
    expect(composeDeltas([set(2), guarded])).toEqual([guarded])
    expect(composeDeltas([guarded, del()])).toEqual([guarded, del()])
    expect(composeDeltas([guarded, { ...guarded, ifVersion: 4 }])).toHaveLength(2)
  })

  it('leaves a change that does not fit for the commit to refuse', () => {
    const deltas = [set('text'), inc(1)]

    expect(composeDeltas(deltas)).toEqual(deltas)
  })

  it('groups by key in the order of first appearance, and leaves its argument alone', () => {
    const deltas = deepFreeze([set(1), { ...set(1), key: 'other' }, set(2)])

    expect(composeDeltas(deltas)).toEqual([set(2), { ...set(1), key: 'other' }])
  })

  it('means the same as the deltas it was made of, wherever those apply', () => {
    fc.assert(
      fc.property(anEntry, fc.array(aDelta, { maxLength: 8 }), (value, deltas) => {
        const entries = new Map(value === undefined ? [] : [[key, { value, version: 4 }]])
        const expected = tryApply(entries, deltas)
        fc.pre(expected !== undefined)

        const composed = composeDeltas(deepFreeze(deltas))

        expect(applyDeltas(entries, composed)).toEqual(expected)
        expect(composed.length).toBeLessThanOrEqual(deltas.length)
      }),
      { numRuns: 20_000 },
    )
  })

  it('means the same when it composes what was composed before', () => {
    fc.assert(
      fc.property(
        anEntry,
        fc.array(aDelta, { maxLength: 5 }),
        fc.array(aDelta, { maxLength: 5 }),
        (value, first, second) => {
          const entries = new Map(value === undefined ? [] : [[key, { value, version: 4 }]])
          const expected = tryApply(entries, [...first, ...second])
          fc.pre(expected !== undefined)

          expect(applyDeltas(entries, composeDeltas([...composeDeltas(first), ...second]))).toEqual(expected)
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

describe('increment, append and merge', () => {
  const aCommutative = fc.oneof(
    fc.record({
      op: fc.constant('increment' as const),
      key: fc.constant(key),
      path: fc.constantFrom(['n'], ['o', 'n']),
      by: fc.integer(),
    }),
    fc.record({
      op: fc.constant('append' as const),
      key: fc.constant(key),
      path: fc.constant(['l']),
      values: fc.array(fc.integer(), { maxLength: 3 }),
    }),
  )
  const sorted = (value: JsonValue | undefined) => {
    const { l = [], ...rest } = (value ?? {}) as { l?: number[] }
    return { ...rest, l: [...l].sort((a, b) => a - b) }
  }

  it('lose nothing in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, {}, { n: 5, l: [1] }),
        fc
          .array(aCommutative, { maxLength: 6 })
          .chain((deltas) => fc.tuple(fc.constant(deltas), fc.shuffledSubarray(deltas, { minLength: deltas.length }))),
        (value, [deltas, shuffled]) => {
          const merges: Delta[] = deltas.map((_, index) => ({
            op: 'merge',
            key,
            path: ['m'],
            value: { [`m${index}`]: index },
          }))

          const one = after(value, ...deltas, ...merges)
          const other = after(value, ...merges.reverse(), ...shuffled)

          expect(deepEqual(sorted(one), sorted(other))).toBe(true)
        },
      ),
    )
  })
})

describe('the prototype of objects', () => {
  it('is out of reach of any delta', () => {
    const names = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'a')
    const before = Object.getOwnPropertyNames(Object.prototype).join()
    fc.assert(
      fc.property(
        fc.array(names, { maxLength: 4 }),
        fc.constantFrom('set', 'delete', 'increment', 'merge'),
        (path, op) => {
          const value = JSON.parse('{"__proto__":{"polluted":true}}')
          const delta = { op, key, path, value, by: 1 } as Delta

          for (const start of [undefined, {}, { a: {} }])
            tryApply(new Map(start && [[key, { value: start, version: 1 }]]), [delta])

          expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
          expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
        },
      ),
    )
  })
})

describe('checkKey', () => {
  it.each(['a', 'with space', 'a.b/c#1', '日本', '😀', '1', 'x'.repeat(512)])('lets %j pass', (text) => {
    expect(() => checkKey(text, 'context')).not.toThrow()
  })

  it.each(['__proto__', 'constructor', 'prototype', '$baton'])('forbids %s', (text) => {
    expect(() => checkKey(text, 'context')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN_KEY', field: 'context' }),
    )
  })

  it.each(['', 'a\0b', 'line\n', '\u007f', '\u009f', '\ud800', 'x'.repeat(513), 5, null, undefined, ['a']])(
    'refuses %j',
    (text) => {
      expect(() => checkKey(text, 'context')).toThrow(expect.objectContaining({ code: 'INVALID_ID', field: 'context' }))
    },
  )

  it('is asked for every member of a path', () => {
    expect(() => checkPath(['a', '0', 'b'], 'path')).not.toThrow()
    expect(() => checkPath(['a', '__proto__'], 'path')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN_KEY', field: 'path[1]' }),
    )
    expect(() => checkPath('a.b', 'path')).toThrow(expect.objectContaining({ code: 'INVALID_ID', field: 'path' }))
    expect(() => checkPath(Array(65).fill('a'), 'path')).toThrow(expect.objectContaining({ code: 'INVALID_ID' }))
  })
})

function set(value: JsonValue, ...path: string[]): Delta & { op: 'set' } {
  return { op: 'set', key, ...(path.length > 0 ? { path } : {}), value }
}

function del(...path: string[]): Delta {
  return { op: 'delete', key, ...(path.length > 0 ? { path } : {}) }
}

function inc(by: number, ...path: string[]): Delta {
  return { op: 'increment', key, ...(path.length > 0 ? { path } : {}), by }
}

function append(values: JsonValue[], ...path: string[]): Delta {
  return { op: 'append', key, ...(path.length > 0 ? { path } : {}), values }
}

function merge(value: { [member: string]: JsonValue }, ...path: string[]): Delta {
  return { op: 'merge', key, ...(path.length > 0 ? { path } : {}), value }
}

function tryApply(entries: ReadonlyMap<string, ContextEntry>, deltas: readonly Delta[]) {
  try {
    return applyDeltas(entries, deltas)
  } catch (error) {
    if (BatonError.is(error, 'DELTA_CONFLICT')) return undefined
    throw error
  }
}

// Few names and shallow values, so that paths meet: arrays, objects and numbers in each other's way.
const segments = fc.constantFrom('a', 'b', '0', '1')
const smallValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 2, withCrossShrink: true },
    fc.integer({ min: -3, max: 3 }),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(segments, tie('value'), { maxKeys: 2, noNullPrototype: true }),
  ),
})).value
const anEntry = fc.option(smallValue, { nil: undefined })
const aPath = fc.oneof(
  fc.constant({}),
  fc.array(segments, { maxLength: 3 }).map((path) => ({ path })),
)
const aChange: fc.Arbitrary<{ op: Delta['op'] }> = fc.oneof(
  fc.record({ op: fc.constant('set' as const), value: smallValue }),
  fc.record({ op: fc.constant('set' as const), value: smallValue, ifVersion: fc.constantFrom(4, 0) }),
  fc.record({ op: fc.constant('delete' as const) }),
  fc.record({ op: fc.constant('increment' as const), by: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ op: fc.constant('append' as const), values: fc.array(smallValue, { maxLength: 2 }) }),
  fc.record({
    op: fc.constant('merge' as const),
    value: fc.dictionary(segments, smallValue, { maxKeys: 2, noNullPrototype: true }),
  }),
)
const aDelta = fc.tuple(aChange, aPath).map(([change, path]) => ({ key, ...change, ...path }) as Delta)
