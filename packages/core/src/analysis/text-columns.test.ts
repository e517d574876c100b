import { expect, it } from 'vitest'
import { columnsOf, visible, wrap } from './text-columns.ts'

it.each([
  ['abc', 3],
  ['größe', 5],
  ['e\u0301', 1],
  ['漢字', 4],
  ['🎉', 2],
  ['│●', 2],
])('knows how wide %s is on a terminal', (text, columns) => {
  expect(columnsOf(text)).toBe(columns)
})

it('breaks between words, and inside of those that are too long', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', '  three'])
  expect(wrap('漢字漢字漢字', 5)).toEqual(['漢字', '  漢', '  字', '  漢', '  字'])
  expect(wrap('', 5)).toEqual([''])
})

it('shows what would not show', () => {
  expect(visible('a\u001b[0m\u200b\u2028b c')).toBe('a\\u{1b}[0m\\u{200b}\\u{2028}b c')
})
