import { describe, expect, it } from 'vitest'
import { fileNameOf, idOfFileName } from './file-name.ts'

describe('file names of run ids', () => {
  it.each([
    ['order-42', 'order-42'],
    ['Order-42', 'order-42=8'],
    ['a:b', 'a+b'],
    ['CON', '=con=e'],
    ['nul.txt', '=nul.txt'],
    ['v1.', 'v1.='],
    ['user@host', 'user@host'],
  ])('writes %s as %s', (id, name) => {
    expect(fileNameOf(id)).toBe(name)
    expect(idOfFileName(name)).toBe(id)
  })

  it('gives two ids that differ only in case two names, also where case does not count', () => {
    const ids = ['abc', 'Abc', 'aBc', 'abC', 'ABC', 'ABc']

    const names = new Set(ids.map((id) => fileNameOf(id).toLowerCase()))

    expect(names.size).toBe(ids.length)
  })

  it('keeps the longest id within what file systems allow', () => {
    for (const id of ['A'.repeat(128), 'aB'.repeat(64), ':'.repeat(128), `CON.${'Z'.repeat(124)}`]) {
      const name = fileNameOf(id)

      expect(Buffer.byteLength(name)).toBeLessThan(200)
      expect(idOfFileName(name)).toBe(id)
    }
  })

  it.each(['../escape', '..', '.', '', 'a/b', 'a\\b', 'a\0b', '%2e%2e', 'ａ', 'x'.repeat(129), '__proto__'])(
    'refuses %j',
    (id) => {
      expect(() => fileNameOf(id)).toThrow('not a usable id')
    },
  )

  it('takes no file for a run that is none', () => {
    for (const name of ['', 'README.txt~', 'Order', 'con', 'a b', 'order=0', 'order=zz', '=order']) {
      expect(idOfFileName(name)).toBeUndefined()
    }
  })

  it('is the inverse of itself for ids of all kinds', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-'
    for (let round = 0; round < 2_000; round++) {
      const length = 1 + Math.floor(Math.random() * 128)
      let id = ''
      while (id.length < length) id += alphabet[Math.floor(Math.random() * alphabet.length)]
      if (id === '.' || id === '..') continue

      expect(idOfFileName(fileNameOf(id))).toBe(id)
    }
  })
})
