import { expect, it } from 'vitest'
import { QueueOutage } from './queue-outage.ts'

it('waits longer each time, up to ten seconds, and begins anew after an answer', () => {
  const said: string[] = []
  const outage = new QueueOutage({ log: (level, message) => void said.push(`${level} ${message}`) }, { queue: 'jobs' })
  const pauses = Array.from({ length: 10 }, () => outage.failed({ error: 'down' }))

  for (const [index, pauseMs] of pauses.entries()) {
    const mostMs = Math.min(10_000, 100 * 2 ** index)
    expect(pauseMs).toBeGreaterThanOrEqual(mostMs / 2)
    expect(pauseMs).toBeLessThanOrEqual(mostMs)
  }
  outage.answered()
  outage.answered()
  expect(outage.failed({ error: 'down' })).toBeLessThanOrEqual(100)

  expect(said.filter((line) => !line.startsWith('debug'))).toEqual([
    'warn the job queue failed, will look again',
    'info the job queue is back',
    'warn the job queue failed, will look again',
  ])
})
