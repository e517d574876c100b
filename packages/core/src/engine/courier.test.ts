import { expect, it } from 'vitest'
import { InMemoryRunStore } from '../memory/run-store.ts'
import type { RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import { systemClock } from '../ports/clock.ts'
import type { IRunStore } from '../ports/run-store.ts'
import { Courier } from './courier.ts'

const parent = 'parent' as RunId
const child = 'child' as RunId
const head = { kind: 'workflow', flowId: 'flow', starts: ['n'] } as const

/** A parent that was called off right after it had started a child; nobody has told the child anything yet. */
function calledOff(store: InMemoryRunStore): void {
  const run: NewRun = { ...head, runId: child, lineage: { rootRunId: parent, parentRunId: parent } }
  store.create({ ...head, runId: parent })
  const request = { runId: parent, instanceId: 'n', workerId: 'w', leaseMs: 1_000, claimId: 'c' }
  expect(store.claim(request).status).toBe('claimed')
  const step = { position: 0, kind: 'start-child', name: 'flow', result: child } as const
  const sends = [{ type: 'start-child', run, detached: false }] as const
  const outcome = { type: 'stepped', step, sends } as const
  expect(store.commit({ runId: parent, instanceId: 'n', fence: 1, commitId: 'c1', outcome }).status).toBe('committed')
  store.notify({ type: 'cancel', runId: parent, reason: 'enough' })
}

function courierOn(store: IRunStore): Courier {
  return new Courier({ store, queue: undefined, clock: systemClock, logger: { log: () => {} } })
}

it('calls off a child whose start arrives, brought by somebody else, while it looks whether there is one', async () => {
  const store = new InMemoryRunStore()
  calledOff(store)
  const [start, cancel] = store.due({ limit: 10 }).flatMap((item) => (item.type === 'message' ? [item.message] : []))
  let others = 0
  const slow: IRunStore = Object.assign(Object.create(store) as InMemoryRunStore, {
    notify: (notice: Parameters<InMemoryRunStore['notify']>[0]) => store.notify(notice),
    async due(query: Parameters<InMemoryRunStore['due']>[0]) {
      // The other courier was faster.
      others += 1
      if (start !== undefined) await courierOn(store).deliver(parent, [start])
      return store.due(query)
    },
  })

  if (cancel !== undefined) await courierOn(slow).deliver(parent, [cancel])

  expect([start?.body.type, cancel?.body.type, others]).toEqual(['start', 'cancel', 1])
  expect(store.summary(child)?.status).toBe('cancelled')
})
