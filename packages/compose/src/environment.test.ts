import { expect, it } from 'vitest'
import { readEnvironment } from './environment.ts'
import { describeMistake } from './mistake.ts'

it('reports every mistake at once, each with code, field and hint, and in one line', () => {
  const { mistakes } = readEnvironment({
    BATON_STORE: 'a folder',
    BATON_QUEUE: 'ftp://x',
    BATON_JOURNAL: 'redis://box',
    BATON_LEASE_MS: 'soon',
    BATON_CONCURRENCY: '-1',
    BATON_HEALTH_PORT: '70000',
    BATON_LOG: 'xml',
    BATON_WORKER_ID: 'two words',
    BATON_EXIT_WITH_PARENT: 'yes',
    BATON_LEASEMS: '2000',
  })

  expect(mistakes.map(({ field }) => field)).toEqual([
    'BATON_STORE',
    'BATON_QUEUE',
    'BATON_JOURNAL',
    'BATON_LEASE_MS',
    'BATON_CONCURRENCY',
    'BATON_HEALTH_PORT',
    'BATON_LOG',
    'BATON_WORKER_ID',
    'BATON_EXIT_WITH_PARENT',
    'BATON_LEASEMS',
  ])
  for (const each of mistakes) {
    expect(each.code).toBe('INVALID_OPTION')
    expect(each.hint).toMatch(/^(Leave it out for|Write|Known are:|Did you mean) /)
    expect(describeMistake(each)).not.toContain('\n')
  }
})

it.each([
  { url: 'ftp://x', says: 'nobody serves ftp: URLs' },
  { url: 'memory:foo', says: 'more than memory: can tell apart' },
  { url: 'file:./data?x=1', says: 'takes nothing after ?' },
  { url: 'file:///srv/data#x', says: 'takes nothing after #' },
  { url: 'file:', says: 'names no folder' },
])('refuses the URL $url with the others, before anything is opened', ({ url, says }) => {
  const { mistakes } = readEnvironment({ BATON_QUEUE: url, BATON_LEASE_MS: 'soon' })

  expect(mistakes.map(({ field }) => field)).toEqual(['BATON_QUEUE', 'BATON_LEASE_MS'])
  expect(mistakes[0]?.message).toContain(says)
  expect(mistakes[1]?.hint).toBe('Leave it out for 30000.')
})

it('names the nearest variable for one that does not exist, and all of them if none is near', () => {
  const { mistakes } = readEnvironment({ BATON_LEASEMS: '2000', BATON_COLOUR_OF_THE_SKY: 'blue' })

  expect(mistakes[0]?.hint).toBe('Did you mean BATON_LEASE_MS?')
  expect(mistakes[1]?.hint).toMatch(/^Known are: BATON_STORE, .*BATON_EXIT_WITH_PARENT\.$/)
})

it('gives each value as what it stands for, and takes an empty one for absent', () => {
  const { values } = readEnvironment({
    BATON_STORE: ' file:./data ',
    BATON_LEASE_MS: '2000',
    BATON_EXIT_WITH_PARENT: '1',
    BATON_SWEEP_MS: '',
  })

  expect(values).toEqual({ BATON_STORE: 'file:./data', BATON_LEASE_MS: 2_000, BATON_EXIT_WITH_PARENT: true })
})

it('leaves what other programs and the tests of Baton set alone', () => {
  const env = { PATH: '/bin', BATONS: '1', BATON_TEST_REDIS_URL: 'x', BATON_REQUIRE_SERVICES: 'redis' }

  expect(readEnvironment(env)).toEqual({ values: {}, mistakes: [] })
})
