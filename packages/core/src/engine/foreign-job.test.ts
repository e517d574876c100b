import { expect, it } from 'vitest'
import { JsonSerializer } from '../context/json-serializer.ts'
import { createFlow } from '../flow/create-flow.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { type Delivery, type Job, parseJob } from '../ports/job-queue.ts'
import { adoptForeignJob } from './foreign-job.ts'
import { Registry } from './registry.ts'

function deliveryOf(job: object, letters: string[] = []): Delivery {
  return {
    job: parseJob(job),
    redelivered: 0,
    acknowledge: async () => {},
    handBack: async () => {},
    extend: async () => {},
    deadLetter: async (reason: string) => void letters.push(reason),
  }
}

it('does not make a run where a limiter is to be', async () => {
  const limited = createFlow('limited', { concurrency: { limit: 1 } }).node('a', () => {})
  const store = new InMemoryRunStore()
  const registry = new Registry({ flows: [limited] })
  const letters: string[] = []
  const delivery = deliveryOf({ runId: 'baton:limit:limited:runs', blueprintId: 'limited', nodeId: 'a' }, letters)

  const ports = { store, registry, coordinationStore: undefined, serializer: new JsonSerializer() }
  expect(await adoptForeignJob(delivery, ports)).toBe('dead-lettered')

  expect(letters).toEqual([expect.stringMatching(/^INVALID_ID: /)])
  expect((await store.list({})).runs).toEqual([])
})

it('sees to the start nodes that the job is not for, once, and not where a limit comes first', async () => {
  const two = createFlow('two')
    .node('a', () => {})
    .node('b', () => {})
  const limited = createFlow('limited', { concurrency: { limit: 1 } })
    .node('a', () => {})
    .node('b', () => {})
  const store = new InMemoryRunStore()
  const registry = new Registry({ flows: [two, limited] })
  const sent: Job[] = []
  const send = async (jobs: readonly Job[]) => void sent.push(...jobs)
  const ports = { store, registry, coordinationStore: undefined, serializer: new JsonSerializer(), send }
  const adopt = (runId: string, blueprintId: string) =>
    adoptForeignJob(deliveryOf({ runId, blueprintId, nodeId: 'a' }), ports)

  await adopt('r', 'two')
  await adopt('r', 'two')
  await adopt('of-limited', 'limited')

  expect(sent).toMatchObject([{ runId: 'r', blueprintId: 'two', nodeId: 'b', instanceId: 'b' }])
})
