import { describe, expect, it } from 'vitest'
import { MOST_COUNTED, nextInstants, passedInstants } from './instants.ts'
import type { Timing } from './timing.ts'

const at = (text: string) => Date.parse(text)
const texts = (instants: readonly number[]) => instants.map((ms) => new Date(ms).toISOString().replace(':00.000Z', 'Z'))
const next = (timing: Timing, from: string, count = 3) => texts(nextInstants(timing, at(from), count))

describe('a cron expression', () => {
  it.each<[string, Timing, string, string[]]>([
    [
      'comes at its local time, in winter and in summer',
      { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
      '2026-03-27T12:00Z',
      ['2026-03-28T02:00Z', '2026-03-29T01:00Z', '2026-03-30T01:00Z'],
    ],
    [
      'that falls into the hour that is left out comes once, when that hour is over: Berlin',
      { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00Z', '2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    ],
    [
      'that falls into the hour that is left out comes once, when that hour is over: New York',
      { cron: '30 2 * * *', timeZone: 'America/New_York' },
      '2026-03-07T12:00Z',
      ['2026-03-08T07:00Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z'],
    ],
    [
      'that falls into the hour that comes twice comes once, the first time: Berlin',
      { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z', '2026-10-26T01:30Z', '2026-10-27T01:30Z'],
    ],
    [
      'that falls into the hour that comes twice comes once, the first time: New York',
      { cron: '30 1 * * *', timeZone: 'America/New_York' },
      '2026-10-31T12:00Z',
      ['2026-11-01T05:30Z', '2026-11-02T06:30Z', '2026-11-03T06:30Z'],
    ],
    [
      'with several fixed times in the hour that comes twice comes once for each',
      { cron: '0,30 2 * * *', timeZone: 'Europe/Berlin' },
      '2026-10-24T12:00Z',
      ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-26T01:00Z'],
    ],
    [
      'of every hour comes every hour, also in the one that comes twice',
      { cron: '0 * * * *', timeZone: 'Europe/Berlin' },
      '2026-10-24T23:30Z',
      ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
    ],
    [
      'of every hour leaves out none that there is',
      { cron: '0 * * * *', timeZone: 'Europe/Berlin' },
      '2026-03-28T23:30Z',
      ['2026-03-29T00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
    ],
    [
      'for 29 February comes in leap years',
      { cron: '0 0 29 2 *' },
      '2026-03-01T00:00Z',
      ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z'],
    ],
    [
      'knows the last day of a month',
      { cron: '0 12 L * *' },
      '2028-01-31T12:00Z',
      ['2028-02-29T12:00Z', '2028-03-31T12:00Z', '2028-04-30T12:00Z'],
    ],
    [
      'with a day of the month and one of the week comes on both, as cron does',
      { cron: '0 0 13 * FRI' },
      '2026-02-01T00:00Z',
      ['2026-02-06T00:00Z', '2026-02-13T00:00Z', '2026-02-20T00:00Z'],
    ],
    [
      'begins at its start, that instant included, and ends before its end',
      { cron: '0 0 * * *', startAtMs: at('2026-05-02T00:00Z'), endAtMs: at('2026-05-04T00:00Z') },
      '2026-01-01T00:00Z',
      ['2026-05-02T00:00Z', '2026-05-03T00:00Z'],
    ],
  ])('%s', (_, timing, from, expected) => {
    expect(next(timing, from)).toEqual(expected)
  })

  it('never gives an instant that is not after the one before, over the changes of the clocks', () => {
    for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']) {
      for (const from of ['2026-03-07T00:00Z', '2026-03-28T00:00Z', '2026-04-04T00:00Z', '2026-10-24T00:00Z']) {
        for (const cron of ['*/15 * * * *', '30 1,2 * * *', '0 2 * * *']) {
          const instants = nextInstants({ cron, timeZone }, at(from), 150)
          expect(instants).toEqual([...new Set(instants)].sort((left, right) => left - right))
        }
      }
    }
  })
})

describe('an interval', () => {
  it('does not drift: its instants are whole multiples', () => {
    const timing = { everyMs: 90_000 }
    expect(next(timing, '2026-01-01T00:00:07Z', 2)).toEqual(['2026-01-01T00:01:30.000Z', '2026-01-01T00:03Z'])
    expect(nextInstants(timing, at('2026-01-01T00:00Z'), 10_000).at(-1)).toBe(at('2026-01-01T00:00Z') + 900_000_000)
  })

  it('counts from its start, which is its first instant', () => {
    const timing = { everyMs: 3_600_000, startAtMs: at('2026-01-01T00:20Z') }
    expect(next(timing, '2025-06-01T00:00Z', 2)).toEqual(['2026-01-01T00:20Z', '2026-01-01T01:20Z'])
    expect(next(timing, '2026-01-01T00:20Z', 1)).toEqual(['2026-01-01T01:20Z'])
  })
})

describe('what has passed', () => {
  const hourly: Timing = { cron: '0 * * * *' }
  const byInterval: Timing = { everyMs: 3_600_000 }

  it.each([
    ['cron', hourly],
    ['an interval', byInterval],
  ])('is told without what was before and what comes after, the last instant included: %s', (_, timing) => {
    const passed = passedInstants(timing, at('2026-01-01T00:00Z'), at('2026-01-01T05:00Z'), 3)

    expect(texts(passed.latest)).toEqual(['2026-01-01T03:00Z', '2026-01-01T04:00Z', '2026-01-01T05:00Z'])
    expect(passed.earlierCount).toBe(2)
  })

  it.each([
    ['cron', hourly],
    ['an interval', byInterval],
  ])('does not reach back before the start, and not beyond the end: %s', (_, timing) => {
    const window = { startAtMs: at('2026-01-01T02:00Z'), endAtMs: at('2026-01-01T04:00Z') }

    const passed = passedInstants({ ...timing, ...window }, at('2025-12-31T00:00Z'), at('2026-01-02T00:00Z'), 10)

    expect(texts(passed.latest)).toEqual(['2026-01-01T02:00Z', '2026-01-01T03:00Z'])
    expect(passed.earlierCount).toBe(0)
  })

  it('is counted up to a bound, so that a year of seconds costs what an hour costs', () => {
    const passed = passedInstants({ cron: '* * * * * *' }, at('2025-01-01T00:00Z'), at('2026-01-01T00:00Z'), 2)

    expect(passed.latest).toEqual([at('2025-12-31T23:59:59Z'), at('2026-01-01T00:00Z')])
    expect(passed.earlierCount).toBe(MOST_COUNTED)
  })
})

describe('a timing is refused', () => {
  it.each([
    ['that cannot be read', { cron: 'every day' }, 'cron'],
    ['with a minute that no hour has', { cron: '61 * * * *' }, 'cron'],
    ['that never comes', { cron: '0 0 30 2 *' }, 'cron'],
    ['that is a date', { cron: '2026-10-10T00:00:00' }, 'cron'],
    ['that is no text', { cron: 5 }, 'cron'],
    ['with neither', {}, 'cron'],
    ['with both', { cron: '* * * * *', everyMs: 1_000 }, 'cron'],
    ['in a zone that nobody knows', { cron: '* * * * *', timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['in a zone that is an offset', { cron: '* * * * *', timeZone: '+01:00' }, 'timeZone'],
    ['with a zone for an interval', { everyMs: 1_000, timeZone: 'UTC' }, 'timeZone'],
    ['of less than a second', { everyMs: 999 }, 'everyMs'],
    ['of no time at all', { everyMs: Number.NaN }, 'everyMs'],
    ['that ends before it begins', { everyMs: 1_000, startAtMs: 2, endAtMs: 1 }, 'endAtMs'],
    ['with an option that nobody knows', { every: 1_000 }, 'timing.every'],
  ])('%s', (_, timing, field) => {
    expect(() => nextInstants(timing as Timing, 0, 1)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field, hint: expect.any(String) }),
    )
  })
})
