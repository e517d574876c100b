import { expect, it } from 'vitest'
import { parseRunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('again')
const limiter = parseRunId('baton:limit:flow:runs')

/** A run that takes over one instance that sleeps, one that waits for a predecessor, and starts a third. */
const run: NewRun = {
  runId,
  kind: 'workflow',
  flowId: 'flow',
  starts: ['x'],
  gates: [{ limiter, flowId: 'flow', most: 1 }],
  from: {
    context: {},
    instances: [
      { id: 'x', status: 'waiting' },
      { id: 'join', status: 'waiting', arrivals: [{ edge: 'a->join', from: 'a', fate: 'succeeded' }], arrivalsDue: 2 },
      { id: 'asleep', status: 'sleeping', started: true, fence: 1, dueAtMs: 50 },
    ],
    results: [],
    signals: [],
    signalIds: [],
    decisions: {},
    children: [],
  },
}

function dueInstances(machine: RunMachine, atMs: number): string[] {
  return machine.due(atMs).flatMap((item) => (item.type === 'instance' ? [item.instanceId] : []))
}

it('what a run took over from another waits at the gate with it, and only that goes on which may', () => {
  const machine = RunMachine.create(run, 0, { redispatchMs: 1_000 })
  const claim = { runId, instanceId: 'asleep', claimId: 'c', workerId: 'w', leaseMs: 1_000 }

  expect(dueInstances(machine, 100)).toEqual([])
  expect(machine.claim(claim, 100)).toEqual({ status: 'not-claimable' })
  machine.takeNewDueAtMs()

  machine.notify({ type: 'slot-grant', runId, limiter }, 100)

  // An index that has long looked at this run learns of it anew.
  expect(machine.takeNewDueAtMs()).toBe(50)
  expect(dueInstances(machine, 100)).toEqual(['asleep', 'x'])
  expect(machine.claim(claim, 100)).toMatchObject({ status: 'claimed' })
})
