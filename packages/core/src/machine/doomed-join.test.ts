import { expect, it } from 'vitest'
import { type InstanceId, parseRunId } from '../model/ids.ts'
import type { Arrival } from '../model/run.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('r')
const error = { name: 'Error', message: 'broken' }
const claimOf = (instanceId: string) => {
  return { runId, instanceId: instanceId as InstanceId, claimId: 'c', workerId: 'w', leaseMs: 10 } as const
}
const toJoin = (from: string, fate: Arrival['fate']): Arrival => {
  return { to: 'j' as InstanceId, edge: `${from}->j`, from: from as InstanceId, fate, rule: 'all', of: 2 } as Arrival
}

it('collects what arrives although its claim was handed back, and opens when what had failed is done over', () => {
  const starts = ['a', 'b'] as InstanceId[]
  const run = { runId, kind: 'workflow', flowId: 'flow', starts, failFast: false } as const
  const machine = RunMachine.create(run, 0, { redispatchMs: 100 })
  const succeed = (instanceId: string, fence: number, atMs: number) => {
    const arrivals = [toJoin(instanceId, 'succeeded')]
    const outcome = { type: 'succeeded', arrivals } as const
    return machine.commit(
      { runId, ...{ instanceId: instanceId as InstanceId, fence }, commitId: `${instanceId}${fence}`, outcome },
      atMs,
    )
  }
  machine.claim(claimOf('a'), 0)
  const taken = { always: false, ifStarted: [] }
  const failed = { type: 'failed', error, takenBy: taken, arrivals: [toJoin('a', 'failed')] } as const
  machine.commit({ runId, instanceId: 'a' as InstanceId, fence: 1, commitId: 'a1', outcome: failed }, 1)
  expect(machine.claim(claimOf('j'), 2).status).toBe('claimed')
  // Its worker stops; another one may claim it, and has not yet.
  machine.commit({ runId, instanceId: 'j' as InstanceId, fence: 1, commitId: 'j1', outcome: { type: 'released' } }, 3)
  expect(machine.state.instances.get('j' as InstanceId)?.status).toBe('ready')
  machine.claim(claimOf('b'), 21)
  succeed('b', 1, 22)

  expect(machine.notify({ type: 'redrive', runId }, 23).status).toBe('accepted')

  expect(machine.state.instances.get('j' as InstanceId)?.status).toBe('waiting')
  machine.claim(claimOf('a'), 24)
  succeed('a', 2, 25)
  expect(machine.state.instances.get('j' as InstanceId)?.status).toBe('ready')
})
