import { expect, it } from 'vitest'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { startMessage } from '../model/family.ts'
import type { RunId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import type { NewRun, RunSummary } from '../model/run.ts'
import { systemClock } from '../ports/clock.ts'
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

/** Between the first answer that there is no such run and what is asked next, somebody else brings its start. */
class StoreOfTwo extends InMemoryRunStore {
  others = 0

  override summary(runId: RunId): RunSummary | undefined {
    const summary = super.summary(runId)
    for (const item of summary === undefined ? this.due({ limit: 10 }) : []) {
      if (item.type !== 'message' || item.message.body.type !== 'start') continue
      const { key, body } = item.message
      this.create(body.run)
      this.delivered(item.runId, [key])
      this.others += 1
    }
    return summary
  }
}

function outboxOf(store: InMemoryRunStore): RunMessage[] {
  return store.due({ limit: 10 }).flatMap((item) => (item.type === 'message' ? [item.message] : []))
}

function courierOf(store: InMemoryRunStore): Courier {
  return new Courier({ store, queue: undefined, clock: systemClock, logger: { log: () => {} } })
}

it('calls off a child whose start arrives, brought by somebody else, while it looks whether there is one', async () => {
  const store = new StoreOfTwo()
  calledOff(store)
  const messages = outboxOf(store)

  await courierOf(store).deliver(
    parent,
    messages.filter(({ body }) => body.type === 'cancel'),
  )

  expect(store.others).toBe(1)
  expect(store.summary(child)?.status).toBe('cancelled')
  expect(store.due({ limit: 10 }).filter(({ runId }) => runId === parent)).toEqual([])
})

it('stops any run that node code asks it to stop', async () => {
  const store = new InMemoryRunStore()
  store.create({ ...head, runId: parent })
  store.create({ ...head, runId: child })

  await courierOf(store).deliver(parent, [{ key: 'k', to: child, body: { type: 'cancel-run', reason: 'enough' } }])

  expect(store.summary(child)).toMatchObject({ status: 'cancelled', reason: 'enough' })
})

it('does not call off a run of that id which is the child of another one', async () => {
  const store = new InMemoryRunStore()
  calledOff(store)
  // The other one was faster, while the first could not bring its start.
  const other = 'other' as RunId
  store.create({ ...head, runId: other })
  store.create({ ...head, runId: child, lineage: { rootRunId: other, parentRunId: other } })
  const cancels = outboxOf(store).filter(({ body }) => body.type === 'cancel')

  await courierOf(store).deliver(parent, cancels)

  expect(store.summary(child)?.status).toBe('pending')
  // As long as it has a start to bring, what comes after it stays, too.
  expect(outboxOf(store).map(({ body }) => body.type)).toEqual(['start', 'cancel'])

  for (const _ of ['start', 'cancel']) await courierOf(store).deliver(parent, outboxOf(store))

  expect(store.summary(child)?.status).toBe('pending')
  expect(outboxOf(store)).toEqual([])
})

it('need not be reminded to call off a child that could not be started, where both are brought in one go', async () => {
  const store = new InMemoryRunStore()
  calledOff(store)
  store.create({ ...head, runId: child })

  await courierOf(store).deliver(parent, outboxOf(store))

  expect(outboxOf(store)).toEqual([])
  expect(store.summary(child)?.status).toBe('pending')
})

/** A run that has gone on as new; who is to make the next one finds that the store takes nothing now. */
class StoreThatMakesNothing extends InMemoryRunStore {
  isAway = false

  override create(run: NewRun) {
    if (this.isAway) throw new Error('the store is away')
    return super.create(run)
  }
}

it('keeps a signal for a run that goes on as new and cannot be made now', async () => {
  const store = new StoreThatMakesNothing()
  const sender = 'sender' as RunId
  for (const runId of [parent, sender]) store.create({ ...head, runId })
  const claimOf = (runId: RunId) => ({ runId, instanceId: 'n', workerId: 'w', leaseMs: 1_000, claimId: 'c' })
  for (const runId of [parent, sender]) expect(store.claim(claimOf(runId)).status).toBe('claimed')
  const next = 'parent@2' as RunId
  const succession = { firstRunId: parent, previousRunId: parent, link: 2 }
  const continueAs: NewRun = { ...head, runId: next, lineage: { rootRunId: parent, succession } }
  const end = { type: 'succeeded', arrivals: [], continueAs } as const
  store.commit({ runId: parent, instanceId: 'n', fence: 1, commitId: 'c1', outcome: end })
  const message: RunMessage = { key: 'signal:n:0', to: parent, body: { type: 'signal', name: 'news' } }
  const step = { position: 0, kind: 'send-signal', name: 'news' } as const
  const outcome = { type: 'stepped', step, sends: [{ type: 'message', message }] } as const
  store.commit({ runId: sender, instanceId: 'n', fence: 1, commitId: 'c2', outcome })

  store.isAway = true
  await courierOf(store).deliver(sender, [message])
  expect(outboxOf(store).map(({ key }) => key)).toContain('signal:n:0')

  store.isAway = false
  await courierOf(store).deliver(sender, [message])
  expect(store.load(next)?.seq).toBe(2)
  expect(outboxOf(store)).toEqual([])
})

it.each([
  { type: 'cancel-run', reason: 'enough' },
  { type: 'signal', name: 'news' },
] as const)(
  'starts a run to which its starter has sent a $type before, for whom it was not there yet',
  async (body) => {
    const store = new InMemoryRunStore()
    store.create({ ...head, runId: parent })
    store.claim({ runId: parent, instanceId: 'n', workerId: 'w', leaseMs: 1_000, claimId: 'c' })
    const run: NewRun = { ...head, runId: child, lineage: { rootRunId: child } }
    const messages = [{ key: 'news', to: child, body }, startMessage(run)]
    for (const [position, message] of messages.entries()) {
      const step = { position, kind: 'start-run', name: 'flow' } as const
      const outcome = { type: 'stepped', step, sends: [{ type: 'message', message }] } as const
      store.commit({ runId: parent, instanceId: 'n', fence: 1, commitId: `c${position}`, outcome })
    }

    // As a sweep finds them, after both could not be delivered.
    for (const _ of messages) await courierOf(store).deliver(parent, outboxOf(store))

    expect(store.load(child)).toMatchObject({ status: 'pending', seq: 1 })
    expect(outboxOf(store)).toEqual([])
  },
)
