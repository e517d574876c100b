/** Several processes on one folder, some of which die. */
import { foldJournal, recordOf } from '@baton/core/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileRunStore } from '../src/run-store.ts'
import { type Child, startChild } from './child.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { id, newRun } from './runs.ts'

let folder: TestFolder
beforeEach(() => {
  folder = testFolder()
})
afterEach(() => folder.remove())

describe('processes that share a folder', () => {
  it('give each instance to one of those who claim it at the same moment', { timeout: 60_000 }, async () => {
    const startAtMs = Date.now() + 2_500
    const children = [0, 1, 2].map(() =>
      startChild(new URL('./children/race.ts', import.meta.url), [folder.path, `${startAtMs}`, '200']),
    )
    await Promise.all(children.map((child) => child.ended()))

    const lines = children.flatMap((child) => child.lines)
    expect(lines.filter((line) => line === 'created')).toHaveLength(1)
    const claims = lines.filter((line) => line.startsWith('n'))
    expect(claims).toHaveLength(200)
    expect(new Set(claims).size).toBe(200)
    expect(claims.every((line) => line.endsWith(' 1'))).toBe(true)
  })

  it('finish every run exactly once while workers are killed (P1, P2, P4, P6)', { timeout: 200_000 }, async () => {
    const [runs, last, most] = [60, 6, 40]
    const store = new FileRunStore({ directory: folder.path })
    for (let index = 0; index < runs; index++) await store.create(newRun(`r${index}`))

    const told: string[] = []
    const worker = new URL('./children/run-lines.ts', import.meta.url)
    const start = () => startChild(worker, [folder.path, `${last}`, '400', `${most}`])
    const children: Child[] = [start(), start()]
    const live = async () => (await store.list({ limit: 1_000, status: ['pending', 'running'] })).runs.length
    let kills = 0
    const until = Date.now() + 150_000
    while ((await live()) > 0 && Date.now() < until) {
      const victim = children.shift() as Child
      // Its second counts from when it can work: on a busy machine the process alone takes as long to start.
      await victim.printed(1)
      const soon = new Promise((resolve) => setTimeout(resolve, 1_000))
      await Promise.race([victim.printed(2 + Math.floor(Math.random() * 30)), soon])
      await victim.kill()
      kills += 1
      told.push(...victim.lines)
      children.push(start())
    }
    for (const child of children) {
      await child.kill()
      told.push(...child.lines)
    }

    // No worker commits more than `most`, and two were left at the end: the others had to die for the runs to end.
    expect(kills).toBeGreaterThanOrEqual(Math.ceil((runs * (last + 1)) / most) - 2)
    const committed = new Set<string>()
    for (let index = 0; index < runs; index++) {
      const runId = id(`r${index}`)
      const events = []
      for await (const event of store.journal(runId)) events.push(event)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1))
      const succeeded = events.flatMap((event) => (event.type === 'node-succeeded' ? [event] : []))
      expect(succeeded.map(({ instanceId }) => instanceId)).toEqual(Array.from({ length: last + 1 }, (_, n) => `n${n}`))
      for (const { instanceId, fence } of succeeded) committed.add(`${runId} ${instanceId} ${fence}`)
      const state = foldJournal(events)
      expect(state && recordOf(state)).toEqual(await store.load(runId))
      expect(state?.status).toBe('completed')
    }
    // What a worker was told is committed is in the journal, under its fence.
    for (const line of told) if (line !== 'ready') expect(committed).toContain(line)
    await store.close()
  })
})
