import { expect, it } from 'vitest'
import { issuePath } from './standard-schema.ts'

it('writes the path of an issue as one would write it in code', () => {
  const written = (...path: readonly (PropertyKey | { readonly key: PropertyKey })[]) =>
    issuePath('input', { message: '', path })

  expect(issuePath('input', { message: '' })).toBe('input')
  expect(written()).toBe('input')
  expect(written('a', 0, 'b')).toBe('input.a[0].b')
  expect(written({ key: 'a b' }, { key: 7 })).toBe('input["a b"][7]')
  expect(written(Symbol('x'))).toBe('input[Symbol(x)]')
})
