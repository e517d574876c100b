import { expect, it } from 'vitest'
import { InMemoryRunStore } from '../memory/run-store.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'

const head = { kind: 'workflow', flowId: 'flow' } as const

it('a child that has come along is no child of the node that has the name of the one that started it', () => {
  const store = new InMemoryRunStore()
  const [a, b] = ['a', 'b'] as InstanceId[] as [InstanceId, InstanceId]
  const runId = 'r@2' as RunId
  const child: NewRun = { ...head, runId: 'child' as RunId, starts: [a] }
  store.create({ ...head, runId, starts: [a, b], carried: { children: [{ run: child, instanceId: a }] } })
  const claimed = store.claim({ runId, instanceId: b, workerId: 'w', leaseMs: 60_000, claimId: 'c' })
  expect(claimed.status).toBe('claimed')

  const outcome = { type: 'succeeded', arrivals: [], cancels: [a] } as const
  const committed = store.commit({ runId, instanceId: b, fence: 1, commitId: 'c1', outcome })
  expect(committed).toMatchObject({ status: 'committed', run: { status: 'completed' } })
  expect(committed).not.toHaveProperty('sent')
})

it('a child that has come along is called off with the run', () => {
  const store = new InMemoryRunStore()
  const runId = 'r@2' as RunId
  const a = 'a' as InstanceId
  const child: NewRun = { ...head, runId: 'child' as RunId, starts: [a] }
  store.create({ ...head, runId, starts: [a], carried: { children: [{ run: child, instanceId: a }] } })

  const told = store.notify({ type: 'cancel', runId, reason: 'enough' })
  expect(told).toMatchObject({ sent: [{ key: 'cancel:child', to: 'child' }] })
})
