import type { IJobQueue, Job } from '@baton/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { deliversAgain } from './delivers-again.ts'

it('sends every fifth job twice, at once or within two seconds', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const sent: string[] = []
  const inner: IJobQueue = {
    enqueue: (jobs) => void sent.push(...jobs.map(({ runId }) => runId)),
    consume: async () => {},
    close: () => {},
  }
  const queue = deliversAgain(inner, 5)

  for (let number = 1; number <= 10; number++) await queue.enqueue([{ runId: `r${number}` } as Job])

  expect(sent.join(' ')).toBe('r1 r2 r3 r4 r5 r5 r6 r7 r8 r9 r10')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sent.slice(11)).toEqual(['r10'])
})
