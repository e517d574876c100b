/** A sweep costs what is due, not what exists: counted in looks at runs. */
import { expect, it } from 'vitest'
import { RunMachine } from '../machine/run-machine.ts'
import { parseRunId } from '../model/ids.ts'
import { InMemoryRunStore } from './run-store.ts'

const DUE = 10
const HOUR_MS = 3_600_000

let looks = 0

/** A machine that counts how often it is asked what is due. */
const countedMachine: typeof RunMachine.create = (...asked) => {
  const machine = RunMachine.create(...asked)
  const { due, nextDueAtMs } = machine
  machine.due = (...query) => {
    looks += 1
    return due.apply(machine, query)
  }
  machine.nextDueAtMs = () => {
    looks += 1
    return nextDueAtMs.apply(machine)
  }
  return machine
}

function worldOf(sleeping: number) {
  let nowMs = 1_800_000_000_000
  const clock = { now: () => nowMs, after: () => () => {} }
  const store = new InMemoryRunStore({ clock, newMachine: countedMachine })
  const newRun = (name: string) =>
    ({ runId: parseRunId(name), kind: 'workflow', flowId: 'flow', starts: ['nap'] }) as const
  const sleep = (name: string, delayMs: number) => {
    const run = newRun(name)
    const { runId } = run
    store.create(run)
    const result = store.claim({ runId, instanceId: 'nap', claimId: 'c', workerId: 'w', leaseMs: 1_000 })
    if (result.status !== 'claimed') throw new Error(result.status)
    const step = { position: 0, kind: 'sleep', name: 'sleep' } as const
    store.commit({ runId, instanceId: 'nap', fence: 1, commitId: 'x', outcome: { type: 'slept', step, delayMs } })
  }
  for (let index = 0; index < sleeping; index++) {
    const delayMs = (1 + (index % 720)) * HOUR_MS
    // Most of them sleep before their first node, which is quicker to bring about.
    if (index % 10 === 0) sleep(`long-${index}`, delayMs)
    else store.create({ ...newRun(`long-${index}`), startAtMs: nowMs + delayMs })
  }
  for (let index = 0; index < DUE; index++) sleep(`short-${index}`, 60_000)
  const pass = (ms: number) => {
    nowMs += ms
  }
  const looksOf = (work: () => unknown) => {
    looks = 0
    work()
    return looks
  }
  return { store, pass, looksOf }
}

it('looks at what is due and at nothing else, with 100,000 runs asleep as with 100', { timeout: 60_000 }, () => {
  const counts = [100, 100_000].map((sleeping) => {
    const { store, pass, looksOf } = worldOf(sleeping)
    // Each run is looked at once after its creation, since it was due then.
    const first = looksOf(() => store.due({ limit: 200, unsentOnly: true }))
    expect(first).toBeLessThanOrEqual(2 * (sleeping + DUE))

    const idle = looksOf(() => store.due({ limit: 200, unsentOnly: true }))
    pass(60_000)
    const woken = looksOf(() => expect(store.due({ limit: 200, unsentOnly: true })).toHaveLength(DUE))
    return { idle, woken }
  })

  expect(counts).toEqual([
    { idle: 0, woken: 2 * DUE },
    { idle: 0, woken: 2 * DUE },
  ])
})
