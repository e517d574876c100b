import { expect, it } from 'vitest'
import { maskedUrl } from './masked-url.ts'

it.each([
  ['redis://box:6379/0', 'redis://box:6379/0'],
  ['redis://:secret@box', 'redis://***@box'],
  ['rediss://ada:secret@box:1,other:2/0?prefix=x', 'rediss://***@box:1,other:2/0?prefix=x'],
  // Whoever forgot to encode them must not read their password in a log.
  ['redis://ada:se@cr/et?x@box', 'redis://***@box'],
  ['ada:secret@box', 'ada:***@box'],
  ['file:///srv/ada@home', 'file:///srv/ada@home'],
])('shows %s as %s', (url, shown) => {
  expect(maskedUrl(url)).toBe(shown)
})
