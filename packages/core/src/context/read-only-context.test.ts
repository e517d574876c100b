import { expect, it } from 'vitest'
import type { ContextEntry } from '../model/delta.ts'
import { JsonSerializer } from './json-serializer.ts'
import { ReadOnlyContext } from './read-only-context.ts'

function given(entries: Record<string, ContextEntry>) {
  const stored = new Map(Object.entries(entries))
  const reads: (readonly string[])[] = []
  const source = {
    read(keys: readonly string[]) {
      reads.push(keys)
      return new Map([...stored].filter(([key]) => keys.includes(key)))
    },
    readAll: async () => stored,
  }
  return { stored, reads, context: new ReadOnlyContext({ source, serializer: new JsonSerializer() }) }
}

it('reads and decodes what the store has at the time of asking', async () => {
  const { context, stored, reads } = given({
    at: { value: { $baton: 'date', value: '1970-01-01T00:00:00.000Z' }, version: 2 },
  })

  expect(await context.get('at')).toEqual(new Date(0))
  expect(await context.get('absent')).toBeUndefined()
  expect([await context.has('at'), await context.has('absent')]).toEqual([true, false])
  expect([await context.version('at'), await context.version('absent')]).toEqual([2, 0])
  expect(await context.toJSON()).toEqual({ at: new Date(0) })

  stored.set('n', { value: 1, version: 1 })
  reads.length = 0
  expect(await context.getMany(['n', 'at', 'absent'])).toEqual({ n: 1, at: new Date(0) })
  expect(reads).toEqual([['n', 'at', 'absent']])
})

it('refuses keys that no context has', async () => {
  await expect(given({}).context.get('__proto__')).rejects.toMatchObject({ code: 'FORBIDDEN_KEY' })
  await expect(given({}).context.getMany([''])).rejects.toMatchObject({ code: 'INVALID_ID' })
})

it('has writers that reject and say where to write instead', async () => {
  const { context } = given({})

  for (const method of ['set', 'delete', 'increment', 'append', 'merge', 'patch'] as const) {
    await expect(context[method]()).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      field: `context.${method}`,
      hint: expect.stringContaining('node'),
    })
  }
})
