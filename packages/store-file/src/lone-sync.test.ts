import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LoneSync } from './lone-sync.ts'

function busyFor(ms: number): void {
  const from = performance.now()
  while (performance.now() - from < ms);
}

it('lets a lone sync be done in place while the disk is quick', () => {
  const syncs = new LoneSync()

  expect(syncs.may(true)).toBe(true)
  expect(syncs.may(false)).toBe(false)
  syncs.now(() => {})
  expect(syncs.may(true)).toBe(true)
})

it('sends them elsewhere after a slow one, until one was quick again', async () => {
  const syncs = new LoneSync()

  syncs.now(() => busyFor(2))
  expect(syncs.may(true)).toBe(false)
  await syncs.elsewhere(() => wait(5))
  expect(syncs.may(true)).toBe(false)
  await syncs.elsewhere(async () => {})
  expect(syncs.may(true)).toBe(true)
})

it('passes on what went wrong', async () => {
  const syncs = new LoneSync()
  const fail = () => {
    throw new Error('EIO')
  }

  expect(() => syncs.now(fail)).toThrow('EIO')
  await expect(syncs.elsewhere(() => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO')
})
