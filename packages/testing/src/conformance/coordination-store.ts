import { expect } from 'vitest'
import type { Suite } from './suite.ts'

const WEIRD_KEYS = [
  'a',
  'A',
  'lock/é ☃',
  '../../etc/passwd',
  '{slot}:x*?',
  '__proto__',
  'constructor',
  'a:b',
  ' ',
  'k'.repeat(512),
  '\u{1F600}',
  "o'); DROP TABLE",
]

export const coordinationStore: Suite = {
  name: 'the coordination store',
  cases: [
    {
      title: 'has what was set, and nothing else',
      async run({ world: { coordinationStore: store } }) {
        expect(await store.get('k')).toBeUndefined()
        expect(await store.setIfNotExist('k', 'v')).toBe(true)
        expect(await store.get('k')).toBe('v')
        expect(await store.get('K')).toBeUndefined()
        expect(await store.delete('k')).toBe(true)
        expect(await store.delete('k')).toBe(false)
        expect(await store.get('k')).toBeUndefined()
      },
    },
    {
      title: 'sets a key for one of many that ask at the same time, in whatever process',
      async run({ world }) {
        const stores = [world.coordinationStore, (await world.reopen()).coordinationStore]

        const results = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => stores[index % 2]?.setIfNotExist('lock', `holder-${index}`)),
        )

        expect(results.filter((won) => won === true)).toHaveLength(1)
        expect(await world.coordinationStore.get('lock')).toBe(`holder-${results.indexOf(true)}`)
      },
    },
    {
      title: 'replaces a value only where it is the one expected',
      async run({ world: { coordinationStore: store } }) {
        await store.setIfNotExist('k', 'one')

        expect(await store.compareAndSet('k', 'two', 'three')).toBe(false)
        expect(await store.compareAndSet('none', 'one', 'three')).toBe(false)
        expect(await store.compareAndSet('k', 'one', 'two')).toBe(true)
        expect([await store.get('k'), await store.get('none')]).toEqual(['two', undefined])
      },
    },
    {
      title: 'lets one of many replace a value that all of them expect',
      async run({ world: { coordinationStore: store } }) {
        await store.setIfNotExist('k', 'free')

        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) => store.compareAndSet('k', 'free', `w${index}`)),
        )

        expect(results.filter(Boolean)).toHaveLength(1)
      },
    },
    {
      title: 'removes a key only for who knows its value',
      async run({ world: { coordinationStore: store } }) {
        await store.setIfNotExist('lock', 'mine')

        expect(await store.compareAndDelete('lock', 'yours')).toBe(false)
        expect(await store.get('lock')).toBe('mine')
        expect(await store.compareAndDelete('lock', 'mine')).toBe(true)
        expect(await store.compareAndDelete('lock', 'mine')).toBe(false)
        expect(await store.setIfNotExist('lock', 'next')).toBe(true)
      },
    },
    {
      title: 'counts, from nothing, up and down, and gives each caller another sum',
      async run({ world: { coordinationStore: store } }) {
        expect(await store.increment('n')).toBe(1)
        expect(await store.increment('n', 41)).toBe(42)
        expect(await store.increment('n', -50)).toBe(-8)
        expect(await store.increment('n', 0)).toBe(-8)
        expect(await store.get('n')).toBe('-8')

        const sums = await Promise.all(Array.from({ length: 50 }, () => store.increment('many')))

        expect([...sums].sort((left, right) => left - right)).toEqual(
          Array.from({ length: 50 }, (_, index) => index + 1),
        )
      },
    },
    {
      title: 'refuses to count what is no number with DELTA_CONFLICT, and leaves it',
      async run({ world: { coordinationStore: store } }) {
        for (const value of ['text', '', '1.5', ' 1', '0x10']) {
          await store.delete('k')
          await store.setIfNotExist('k', value)
          await expect((async () => store.increment('k'))(), value).rejects.toMatchObject({ code: 'DELTA_CONFLICT' })
          expect(await store.get('k')).toBe(value)
        }
      },
    },
    {
      title: 'forgets a key when its time is up, and whoever comes then is first',
      async run(stage) {
        const { coordinationStore: store } = stage.world
        await store.setIfNotExist('lock', 'dead', { ttlMs: stage.ticks(10) })
        await store.setIfNotExist('kept', 'v')
        expect(await store.setIfNotExist('lock', 'early')).toBe(false)

        await stage.pass(stage.ticks(15))

        expect(await store.get('lock')).toBeUndefined()
        expect(await store.compareAndSet('lock', 'dead', 'x')).toBe(false)
        expect(await store.extendTTL('lock', 1_000)).toBe(false)
        expect(await store.delete('lock')).toBe(false)
        expect(await store.setIfNotExist('lock', 'next')).toBe(true)
        expect(await store.get('kept')).toBe('v')
      },
    },
    {
      title: 'gives a key a new time with each replacement, or none',
      async run(stage) {
        const { coordinationStore: store } = stage.world
        await store.setIfNotExist('longer', '1', { ttlMs: stage.ticks(10) })
        await store.setIfNotExist('for-good', '1', { ttlMs: stage.ticks(10) })
        await store.setIfNotExist('shorter', '1')
        await store.compareAndSet('longer', '1', '2', { ttlMs: stage.ticks(60) })
        await store.compareAndSet('for-good', '1', '2')
        await store.compareAndSet('shorter', '1', '2', { ttlMs: stage.ticks(10) })

        await stage.pass(stage.ticks(20))

        expect([await store.get('longer'), await store.get('for-good'), await store.get('shorter')]).toEqual([
          '2',
          '2',
          undefined,
        ])
      },
    },
    {
      title: 'makes the time of a key longer, also in the same text',
      async run(stage) {
        const { coordinationStore: store } = stage.world
        await store.setIfNotExist('k', 'v', { ttlMs: stage.ticks(10) })

        expect(await store.extendTTL('k', stage.ticks(60))).toBe(true)
        expect(await store.extendTTL('none', stage.ticks(60))).toBe(false)

        await stage.pass(stage.ticks(20))
        expect(await store.get('k')).toBe('v')
        expect(await store.get('none')).toBeUndefined()
      },
    },
    {
      title: 'sets the time of a counter when it is made, and not later',
      async run(stage) {
        const { coordinationStore: store } = stage.world
        await store.increment('window', 1, { ttlMs: stage.ticks(20) })
        await stage.pass(stage.ticks(10))
        expect(await store.increment('window', 1, { ttlMs: stage.ticks(100) })).toBe(2)

        await stage.pass(stage.ticks(15))

        expect(await store.increment('window')).toBe(1)
      },
    },
    {
      title: 'takes any printable key of 1 to 512 characters, and keeps keys apart',
      async run({ world: { coordinationStore: store } }) {
        for (const key of WEIRD_KEYS) expect(await store.setIfNotExist(key, `of ${key}`), key).toBe(true)
        for (const key of WEIRD_KEYS) expect(await store.get(key), key).toBe(`of ${key}`)
      },
    },
    {
      title: 'refuses a key that no store takes with INVALID_ID, whatever is asked of it',
      async run({ world: { coordinationStore: store } }) {
        for (const key of ['', 'x'.repeat(513), 'a\0b', 'a\nb', 'a\u007f', 'a\ud800b']) {
          const asks = [
            async () => store.get(key),
            async () => store.setIfNotExist(key, 'v'),
            async () => store.compareAndSet(key, 'v', 'w'),
            async () => store.compareAndDelete(key, 'v'),
            async () => store.increment(key),
            async () => store.extendTTL(key, 1),
            async () => store.delete(key),
          ]
          for (const ask of asks) {
            await expect(ask(), `${JSON.stringify(key).slice(0, 20)} ${ask}`).rejects.toMatchObject({
              code: 'INVALID_ID',
              field: 'key',
            })
          }
        }
      },
    },
    {
      title: 'keeps any text: empty, unicode, long',
      async run({ world: { coordinationStore: store } }) {
        const texts = ['', ' ', 'é ☃ \u{1F600}', '\n\0"\\', '{"a":1}', 'x'.repeat(100_000)]
        for (const [index, text] of texts.entries()) await store.setIfNotExist(`k${index}`, text)
        for (const [index, text] of texts.entries()) expect((await store.get(`k${index}`)) === text).toBe(true)
        expect(await store.compareAndDelete('k0', '')).toBe(true)
      },
    },
    {
      title: 'is the same store for every process',
      async run(stage) {
        const { coordinationStore: here } = stage.world
        const { coordinationStore: there } = await stage.world.reopen()
        await here.setIfNotExist('k', 'v')
        await here.increment('n', 5)

        expect(await there.get('k')).toBe('v')
        expect(await there.increment('n')).toBe(6)
        expect(await there.compareAndDelete('k', 'v')).toBe(true)
        expect(await here.get('k')).toBeUndefined()
        expect(await here.get('n')).toBe('6')
      },
    },
  ],
}
