import { expect, it } from 'vitest'
import { parseRunId } from '../model/ids.ts'
import { type InstanceSnapshot, snapshotOf } from '../model/run-snapshot.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('again')

function waiting(id: string): InstanceSnapshot {
  const step = { position: 1, kind: 'signal' as const, name: 'go' }
  const parked = { step, wait: { kind: 'signal' as const, name: 'go' }, sinceMs: 0 }
  return { id, status: 'awaiting', started: true, fence: 1, parked }
}

/** A run that takes over two nodes that wait for the same signal. */
function taking(awaiting: readonly string[]): RunMachine {
  const from = {
    context: {},
    instances: [waiting('a'), waiting('b')],
    awaiting,
    results: [],
    signals: [],
    signalIds: [],
    decisions: {},
    children: [],
  }
  return RunMachine.create({ runId, kind: 'workflow', flowId: 'flow', starts: [], from }, 0, { redispatchMs: 1_000 })
}

it('whoever began to wait first is woken first, also in the run that takes them over', () => {
  const machine = taking(['b', 'a'])
  expect(snapshotOf(machine.state, 0).from.awaiting).toEqual(['b', 'a'])

  const heard = machine.notify({ type: 'signal', runId, name: 'go' }, 1)

  expect(heard).toMatchObject({ status: 'accepted', ready: ['b'] })
})
