/** When the referee lets a run forget that it wants another one stopped: once that one has heard it, or never can. */
import { createFlow, parseRunId, type RunEvent } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import { expect, it } from 'vitest'
import { Referee } from '../src/simulator/checker/referee.ts'
import { type FaultRates, Faults, faultKinds } from '../src/simulator/faults/faults.ts'
import { World } from '../src/simulator/world/world.ts'

type RunMessage = Extract<RunEvent, { type: 'message-sent' }>['message']

const SENDER = parseRunId('sender')
const OTHER = parseRunId('other')
const LEASE_MS = 1_000

const runOf = (runId: NewRun['runId']): NewRun => ({ kind: 'workflow', runId, flowId: 'flow', starts: ['n'] })
const start: RunMessage = { key: `start:${OTHER}`, to: OTHER, body: { type: 'start', run: runOf(OTHER) } }
const stop: RunMessage = { key: 'cancel-run:n:0', to: OTHER, body: { type: 'cancel-run', reason: 'not wanted' } }

/** A run that has all this to say, before a referee. */
function scene(...says: readonly RunMessage[]) {
  const flow = createFlow('flow').node('n', () => {})
  const planned = { flow, version: undefined, nodes: new Map(), isDetermined: false, isKeyed: false }
  const referee = new Referee(() => planned, LEASE_MS)
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultRates
  const faults = new Faults({ seed: 0, rates, leaseMs: LEASE_MS })
  const world = new World({ seed: 0, leaseMs: LEASE_MS, sweepMs: 5_000, visibilityMs: 500, faults, referee })
  referee.world = world
  const { store } = world
  store.create(runOf(SENDER))
  store.claim({ runId: SENDER, instanceId: 'n', workerId: 'w', leaseMs: LEASE_MS, claimId: 'c' })
  for (const [position, message] of says.entries()) {
    const step = { position, kind: 'cancel-run', name: OTHER } as const
    const outcome = { type: 'stepped', step, sends: [{ type: 'message', message }] } as const
    store.commit({ runId: SENDER, instanceId: 'n', fence: 1, commitId: `${position}`, outcome })
  }
  const notice = { type: 'cancel', runId: OTHER, reason: 'not wanted' } as const
  return {
    comes: () => void store.create(runOf(OTHER)),
    tell: () => referee.notified(notice, () => store.notify(notice)).status,
    /** @returns what the referee says to it */
    forget(...keys: readonly string[]): string | undefined {
      referee.delivered(SENDER, keys, () => store.delivered(SENDER, keys))
      return referee.violation?.message
    },
  }
}

const TOO_SOON = `TREE: ${stop.key} is forgotten before ${OTHER} has heard of it (run ${SENDER})`

it('once it has heard it', () => {
  const { comes, tell, forget } = scene(stop)
  comes()

  expect(tell()).toBe('accepted')

  expect(forget(stop.key)).toBeUndefined()
})

it('once it was not there to hear it, though somebody else has started it since', () => {
  const { comes, tell, forget } = scene(stop)

  expect(tell()).toBe('unknown-run')
  comes()

  expect(forget(stop.key)).toBeUndefined()
})

it('also where its sender asks for it to be started afterwards', () => {
  const { comes, tell, forget } = scene(stop, start)

  expect(tell()).toBe('unknown-run')
  comes()

  expect(forget(stop.key, start.key)).toBeUndefined()
})

it('not where its sender has asked for it to be started before', () => {
  const { comes, tell, forget } = scene(start, stop)

  expect(tell()).toBe('unknown-run')
  comes()

  expect(forget(start.key, stop.key)).toBe(TOO_SOON)
})

it('not where nobody has told it', () => {
  const { comes, forget } = scene(stop)
  comes()

  expect(forget(stop.key)).toBe(TOO_SOON)
})

it('not where nobody has looked whether it is there', () => {
  const { forget } = scene(stop)

  expect(forget(stop.key)).toBe(TOO_SOON)
})
