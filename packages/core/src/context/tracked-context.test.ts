import { describe, expect, it } from 'vitest'
import { applyDeltas, type ContextEntry, type Delta } from '../model/delta.ts'
import type { JsonValue } from '../model/json.ts'
import type { IAsyncContext } from '../ports/async-context.ts'
import { JsonSerializer } from './json-serializer.ts'
import { TrackedAsyncContext, type TrackedContextOptions } from './tracked-context.ts'

const serializer = new JsonSerializer()

/** A store of one run that counts its reads, and can hold them back. */
class Store {
  entries = new Map<string, ContextEntry>()
  readonly reads: string[] = []
  #held: { release: () => void; until: Promise<void> } | undefined

  constructor(values: Record<string, JsonValue> = {}) {
    for (const [key, value] of Object.entries(values)) this.entries.set(key, { value, version: 1 })
  }

  readonly read = async (keys: readonly string[]) => {
    this.reads.push(keys.join())
    const found = new Map([...this.entries].filter(([key]) => keys.includes(key)))
    await this.#held?.until
    return found
  }

  readonly readAll = async () => {
    this.reads.push('*')
    const found = new Map(this.entries)
    await this.#held?.until
    return found
  }

  hold() {
    let release = () => {}
    const until = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#held = { release, until }
  }

  release() {
    this.#held?.release()
    this.#held = undefined
  }

  commit(deltas: readonly Delta[]) {
    for (const [key, entry] of applyDeltas(this.entries, deltas)) {
      if (entry === undefined) this.entries.delete(key)
      else this.entries.set(key, entry)
    }
  }
}

function given(values: Record<string, JsonValue> = {}, options: Partial<TrackedContextOptions> = {}) {
  const store = new Store(values)
  return { store, context: new TrackedAsyncContext({ source: store, serializer, ...options }) }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

describe('reading', () => {
  it('asks the store for a key when it is asked for, once', async () => {
    const { store, context } = given({ a: 1, big: 'x'.repeat(1000) })

    expect(await context.get('a')).toBe(1)
    expect(await context.get('a')).toBe(1)
    expect(await context.has('a')).toBe(true)
    expect(await context.version('a')).toBe(1)
    expect(await context.get('absent')).toBeUndefined()
    expect(await context.has('absent')).toBe(false)
    expect(store.reads).toEqual(['a', 'absent'])
  })

  it('keeps what it found for the whole attempt, also that a key is absent', async () => {
    const { store, context } = given({ a: 1 })
    await context.getMany(['a', 'b'])

    store.commit([set('a', 2), set('b', 2)])

    expect([await context.get('a'), await context.get('b'), await context.version('b')]).toEqual([1, undefined, 0])
  })

  it('reads several keys in one go, and only those not read yet', async () => {
    const { store, context } = given({ a: 1, b: 2, c: null })
    await context.get('a')

    expect(await context.getMany(['a', 'b', 'c', 'd', 'b'])).toEqual({ a: 1, b: 2, c: null })
    expect(store.reads).toEqual(['a', 'b,c,d,b'])
  })

  it('shares a read that is under way', async () => {
    const { store, context } = given({ a: 1 })

    expect(await Promise.all([context.get('a'), context.get('a'), context.getMany(['a', 'b'])])).toEqual([
      1,
      1,
      { a: 1 },
    ])
    expect(store.reads).toEqual(['a', 'b'])
  })

  it('does not ask for what the claim brought along or looked for in vain', async () => {
    const preloaded = new Map([['a', { value: 1, version: 7 }]])
    const { store, context } = given({ a: 2, b: 2 }, { preloaded, declared: ['a', 'b'] })

    expect(await context.getMany(['a', 'b'])).toEqual({ a: 1 })
    expect(await context.version('a')).toBe(7)
    expect(store.reads).toEqual([])
  })

  it('gives a new copy each time', async () => {
    const { context } = given({ a: { list: [1] } })

    const first = await context.get<{ list: number[] }>('a')
    first?.list.push(2)

    expect(await context.get('a')).toEqual({ list: [1] })
  })

  it('reads everything at once for toJSON, with what was read and written before on top', async () => {
    const { store, context } = given({ a: 1, b: 1, gone: 1 })
    await context.get('a')
    store.commit([set('a', 2)])
    await context.set('own', new Date(0))
    await context.delete('gone')

    expect(await context.toJSON()).toEqual({ a: 1, b: 1, own: new Date(0) })
    expect(await context.get('another')).toBeUndefined()
    expect(store.reads).toEqual(['a', '*'])
  })

  it('tries again after a read that failed', async () => {
    const { store, context } = given({ a: 1 })
    const source = { ...store, readAll: store.readAll, read: async () => Promise.reject(new Error('down')) }
    const failing = new TrackedAsyncContext({ source, serializer })

    await expect(failing.get('a')).rejects.toThrow('down')
    source.read = store.read as never

    expect(await failing.get('a')).toBe(1)
    expect(await context.get('a')).toBe(1)
  })

  it('takes an answer that is there already', async () => {
    const source = { read: () => new Map([['a', { value: 1, version: 1 }]]), readAll: () => new Map() }

    expect(await new TrackedAsyncContext({ source, serializer }).get('a')).toBe(1)
  })
})

describe('writing', () => {
  it('records deltas, and sees them in later reads', async () => {
    const { context } = given({ n: 1, list: [1], o: { a: 1 }, deep: { x: { y: 1 } }, gone: 1 })

    await context.increment('n', 2)
    await context.append('list', [2, new Date(0)])
    await context.merge('o', { b: 2n, skipped: undefined })
    await context.set('deep', [1], { path: ['x', 'z'] })
    await context.delete('gone')
    await context.set('new', 'value')

    expect(await context.toJSON()).toEqual({
      n: 3,
      list: [1, 2, new Date(0)],
      o: { a: 1, b: 2n },
      deep: { x: { y: 1, z: [1] } },
      new: 'value',
    })
    expect(context.deltaCount).toBe(6)
    expect(context.takeDeltas()).toEqual([
      { op: 'increment', key: 'n', by: 2 },
      { op: 'append', key: 'list', values: [2, { $baton: 'date', value: '1970-01-01T00:00:00.000Z' }] },
      { op: 'merge', key: 'o', value: { b: { $baton: 'bigint', value: '2' } } },
      { op: 'set', key: 'deep', path: ['x', 'z'], value: [1] },
      { op: 'delete', key: 'gone' },
      { op: 'set', key: 'new', value: 'value' },
    ])
  })

  it('needs no read for a key that it has set or deleted itself', async () => {
    const { store, context } = given({ a: 1, b: 1 })

    await context.set('a', { n: 1 })
    await context.increment('a', 1, { path: ['n'] })
    await context.delete('b')

    expect([await context.get('a'), await context.has('b')]).toEqual([{ n: 2 }, false])
    expect(store.reads).toEqual([])
  })

  it('has noted the delta when the writer returns, awaited or not', () => {
    const { context } = given()

    context.set('a', 1).catch(() => {})

    expect(context.deltaCount).toBe(1)
  })

  it('composes what it hands out, and forgets it', async () => {
    const { store, context } = given({ n: 1 })
    await context.get('n')
    for (let round = 0; round < 5; round++) await context.increment('n', 1)

    const deltas = context.takeDeltas()
    store.commit(deltas)

    expect(deltas).toEqual([{ op: 'increment', key: 'n', by: 5 }])
    expect([context.takeDeltas(), context.deltaCount]).toEqual([[], 0])
    expect([await context.get('n'), await context.version('n')]).toEqual([6, 2])
    await context.increment('n', 1)
    expect(await context.get('n')).toBe(7)
    expect(context.takeDeltas()).toEqual([{ op: 'increment', key: 'n', by: 1 }])
  })

  it('hands out what was read as the version for ifVersion, whatever it has written meanwhile', async () => {
    const { context } = given({ a: 1 })

    await context.set('a', 2, { ifVersion: await context.version('a') })
    await context.set('b', 2, { ifVersion: await context.version('b') })
    await context.set('a', 3, { ifVersion: await context.version('a') })

    expect(context.takeDeltas()).toEqual([
      { op: 'set', key: 'a', value: 3, ifVersion: 1 },
      { op: 'set', key: 'b', value: 2, ifVersion: 0 },
    ])
  })

  it('shares nothing with the caller', async () => {
    const { context } = given()
    const value = { list: [1] }
    const path = ['x']

    await context.set('a', value, { path })
    value.list.push(2)
    path.push('y')

    expect(context.takeDeltas()).toEqual([{ op: 'set', key: 'a', path: ['x'], value: { list: [1] } }])
  })

  it('keeps a number that was rounded to -0 as a number that can be incremented', async () => {
    const { context } = given()

    await context.set('n', Math.round(-0.2))
    await context.increment('n', 1)

    expect(await context.get('n')).toBe(1)
  })

  it.each<[string, (context: IAsyncContext) => Promise<unknown>, string, string]>([
    ['a function', (c) => c.set('k', { fn: () => {} }), 'INVALID_VALUE', 'context.k.fn'],
    ['a function under a path', (c) => c.set('k', () => {}, { path: ['a', '0'] }), 'INVALID_VALUE', 'context.k.a.0'],
    ['a function among items', (c) => c.append('k', [1, () => {}]), 'INVALID_VALUE', 'context.k[1]'],
    ['a function among members', (c) => c.merge('k', { a: [() => {}] }), 'INVALID_VALUE', 'context.k.a[0]'],
    ['an increment by infinity', (c) => c.increment('k', Number.POSITIVE_INFINITY), 'INVALID_VALUE', 'context.k'],
    ['an increment by text', (c) => c.increment('k', '1' as never), 'INVALID_VALUE', 'context.k'],
    ['a merge of an array', (c) => c.merge('k', [1]), 'INVALID_VALUE', 'context.k'],
    ['a merge of a Map', (c) => c.merge('k', new Map()), 'INVALID_VALUE', 'context.k'],
    ['an append of a text', (c) => c.append('k', 'ab' as never), 'INVALID_VALUE', 'context.k'],
    ['a forbidden key', (c) => c.set('__proto__', 1), 'FORBIDDEN_KEY', 'context'],
    [
      'a forbidden member of a path',
      (c) => c.set('k', 1, { path: ['constructor'] }),
      'FORBIDDEN_KEY',
      'context.k: path[0]',
    ],
    ['a forbidden member to merge', (c) => c.merge('k', JSON.parse('{"__proto__":1}')), 'FORBIDDEN_KEY', 'context.k'],
    ['a member that looks like a tag', (c) => c.merge('k', { $baton: 'date' }), 'FORBIDDEN_KEY', 'context.k'],
    ['an empty key', (c) => c.delete(''), 'INVALID_ID', 'context'],
    ['a path that is a text', (c) => c.delete('k', { path: 'a.b' as never }), 'INVALID_ID', 'context.k: path'],
    ['a forbidden key to read', (c) => c.get('prototype'), 'FORBIDDEN_KEY', 'context'],
    ['an odd version', (c) => c.set('k', 1, { ifVersion: -1 }), 'INVALID_OPTION', 'ifVersion'],
    ['an unknown op', (c) => c.patch([{ op: 'explode', key: 'k' } as never]), 'INVALID_OPTION', 'deltas'],
  ])('refuses %s at the call, and records nothing', async (_, write, code, field) => {
    const { context } = given()

    await expect(write(context)).rejects.toMatchObject({ code, field })
    expect(context.deltaCount).toBe(0)
  })

  it('refuses at the call what cannot fit the value that it knows', async () => {
    const { context } = given({ text: 'a' })
    await context.get('text')

    await expect(context.increment('text', 1)).rejects.toMatchObject({ code: 'DELTA_CONFLICT', field: 'context.text' })
    expect(context.deltaCount).toBe(0)
  })

  it('refuses a path into a value that JSON lacks', async () => {
    const { context } = given()
    await context.set('at', new Date(0))

    const writing = context.set('at', 1, { path: ['value'] })

    await expect(writing).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
    expect(await context.get('at')).toEqual(new Date(0))
  })

  it('patches all or nothing', async () => {
    const { context } = given()
    const good: Delta[] = [
      set('a', { n: 1 }),
      { op: 'increment', key: 'a', path: ['n'], by: 1 },
      { op: 'delete', key: 'b' },
    ]

    await expect(context.patch([...good, set('a', 1), { op: 'append', key: 'a', values: [1] }])).rejects.toMatchObject({
      code: 'DELTA_CONFLICT',
    })
    expect([context.deltaCount, await context.get('a')]).toEqual([0, undefined])

    await context.patch(good)
    expect([context.deltaCount, await context.get('a')]).toEqual([3, { n: 2 }])
  })

  it('costs the same for the last member of a large value as for the first', async () => {
    const { context } = given({ o: {} })
    await context.get('o')
    for (let index = 0; index < 20_000; index++) await context.set('o', index, { path: [`m${index}`] })

    expect(Object.keys((await context.get<object>('o')) ?? {})).toHaveLength(20_000)
  })

  it('changes neither what was handed out nor what the store gave', async () => {
    const { store, context } = given({ o: { a: { n: 1 } } })
    const reading = context.get('o')
    await reading
    await context.increment('o', 1, { path: ['a', 'n'] })
    const before = context.get('o')
    context.increment('o', 1, { path: ['a', 'n'] }).catch(() => {})
    const first = context.takeDeltas()
    await context.increment('o', 1, { path: ['a', 'n'] })

    expect(await reading).toEqual({ a: { n: 1 } })
    expect(await before).toEqual({ a: { n: 2 } })
    expect(await context.get('o')).toEqual({ a: { n: 4 } })
    expect(first).toEqual([{ op: 'increment', key: 'o', path: ['a', 'n'], by: 2 }])
    expect(store.entries.get('o')?.value).toEqual({ a: { n: 1 } })
  })

  it('is refused once the attempt is over', async () => {
    const { context } = given({ a: 1 })
    const fork = context.fork()
    context.close()

    await expect(fork.set('a', 1)).rejects.toMatchObject({ code: 'ATTEMPT_ENDED', field: 'context.a' })
    fork.drop()
    await expect(context.set('a', 1)).rejects.toMatchObject({ code: 'ATTEMPT_ENDED' })
    expect(await context.get('a')).toBe(1)
  })
})

describe('a fork for a step', () => {
  it('hands out what the step wrote, and that alone', async () => {
    const { store, context } = given({ n: 1 })
    await context.set('outside', 1)

    const fork = context.fork()
    await fork.increment('n', 1)
    expect([await fork.get('n'), await fork.get('outside')]).toEqual([2, 1])
    store.commit(fork.takeDeltas())
    fork.keep()

    expect([await context.get('n'), await context.version('n'), store.entries.get('n')?.value]).toEqual([2, 2, 2])
    expect(context.takeDeltas()).toEqual([set('outside', 1)])
  })

  it('leaves nothing behind when the step fails', async () => {
    const { context } = given({ n: 1 })

    const fork = context.fork()
    await fork.increment('n', 1)
    await fork.set('new', 1)
    fork.drop()

    expect([await context.get('n'), await context.get('new'), context.deltaCount]).toEqual([1, undefined, 0])
    await expect(fork.set('late', 1)).rejects.toMatchObject({ code: 'ATTEMPT_ENDED' })
  })

  it('leaves nothing behind when its deltas could not be committed', async () => {
    const { context } = given({ n: 1 })

    const fork = context.fork()
    await fork.increment('n', 1)
    fork.takeDeltas()
    fork.drop()

    expect(await context.get('n')).toBe(1)
  })

  it('stands in for the context around it, so that a step may use either', async () => {
    const { store, context } = given({ n: 1 })

    const fork = context.fork()
    await context.increment('n', 1)
    expect([await context.get('n'), context.deltaCount, fork.deltaCount]).toEqual([2, 0, 1])
    store.commit(fork.takeDeltas())
    fork.keep()

    await context.increment('n', 10)
    expect([await context.get('n'), context.takeDeltas()]).toEqual([12, [{ op: 'increment', key: 'n', by: 10 }]])
  })

  it('keeps parallel steps apart, and refuses a write that could be of any of them', async () => {
    const { store, context } = given({ n: 1 })
    const [first, second] = [context.fork(), context.fork()]
    await first.increment('n', 1)
    await second.increment('n', 10)

    await expect(context.set('whose', 1)).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'context.whose' })
    expect([await first.get('n'), await second.get('n'), await context.get('n')]).toEqual([2, 11, 1])

    second.drop()
    await expect(context.set('whose', 1)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    store.commit(first.takeDeltas())
    first.keep()
    await context.set('whose', 1)
    expect([await context.get('n'), await context.get('whose')]).toEqual([2, 1])
  })

  it('refuses to write a place that the node wrote before, since that write would commit later', async () => {
    const { context } = given()
    await context.set('status', 'started')
    await context.increment('n', 1)
    await context.set('o', 1, { path: ['a'] })
    const fork = context.fork()

    await expect(fork.set('status', 'charged')).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: 'context.status',
    })
    await expect(fork.set('o', {})).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await fork.increment('n', 1)
    await fork.set('o', 2, { path: ['b'] })

    expect(fork.deltaCount).toBe(2)
  })

  it('shows the writes of a step that is over to the steps after it', async () => {
    const { store, context } = given({ list: ['a'] })
    for (const item of ['b', 'c']) {
      const fork = context.fork()
      const list = (await fork.get<string[]>('list')) ?? []
      await fork.append('list', [`${item}${list.length}`])
      store.commit(fork.takeDeltas())
      fork.keep()
    }

    expect(await context.get('list')).toEqual(['a', 'b1', 'c2'])
    expect(await context.version('list')).toBe(3)
  })

  it('counts nothing twice when a key is read while the commit of a step is under way', async () => {
    const { store, context } = given({ n: 1, other: 1 })
    const fork = context.fork()
    await fork.increment('n', 1)
    store.hold()
    const early = context.get('n')
    const everything = context.toJSON()

    const deltas = fork.takeDeltas()
    store.release()
    const late = context.get('n')
    await settled()
    store.commit(deltas)
    fork.keep()

    expect([await early, await late, await everything]).toEqual([2, 2, { n: 2, other: 1 }])
    expect(store.entries.get('n')?.value).toBe(2)
  })

  it('counts nothing twice when the read came back before the commit, or starts after it', async () => {
    const { store, context } = given({ a: 1, b: 1 })
    await context.get('a')
    const fork = context.fork()
    await fork.increment('a', 1)
    await fork.increment('b', 1)

    store.commit(fork.takeDeltas())
    fork.keep()

    expect([await context.get('a'), await context.get('b')]).toEqual([2, 2])
  })

  it('reads a key again when the store had another value than this attempt knew', async () => {
    const { store, context } = given({ n: [1] })
    const fork = context.fork()
    await fork.increment('n', 1)
    store.commit([set('n', 5)])
    store.commit(fork.takeDeltas())
    fork.keep()

    expect(await context.get('n')).toBe(6)
  })
})

function set(key: string, value: JsonValue): Delta {
  return { op: 'set', key, value }
}
