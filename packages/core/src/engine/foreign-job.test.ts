import { expect, it } from 'vitest'
import { JsonSerializer } from '../context/json-serializer.ts'
import { createFlow } from '../flow/create-flow.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { parseJob } from '../ports/job-queue.ts'
import { adoptForeignJob } from './foreign-job.ts'
import { Registry } from './registry.ts'

it('does not make a run where a limiter is to be', async () => {
  const limited = createFlow('limited', { concurrency: { limit: 1 } }).node('a', () => {})
  const store = new InMemoryRunStore()
  const registry = new Registry({ flows: [limited] })
  const letters: string[] = []
  const delivery = {
    job: parseJob({ runId: 'baton:limit:limited:runs', blueprintId: 'limited', nodeId: 'a' }),
    redelivered: 0,
    acknowledge: async () => {},
    handBack: async () => {},
    extend: async () => {},
    deadLetter: async (reason: string) => void letters.push(reason),
  }

  const ports = { store, registry, coordinationStore: undefined, serializer: new JsonSerializer() }
  expect(await adoptForeignJob(delivery, ports)).toBe('dead-lettered')

  expect(letters).toEqual([expect.stringMatching(/^INVALID_ID: /)])
  expect((await store.list({})).runs).toEqual([])
})
