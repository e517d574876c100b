import { expect, it } from 'vitest'
import { RunMachine } from '../machine/run-machine.ts'
import type { RunEvent } from '../model/event.ts'
import { parseRunId } from '../model/ids.ts'
import { recordOf } from '../model/run-record.ts'
import { redrivenRun, redrivePoint } from './redriven-run.ts'

const runId = parseRunId('r')

it('has as much time from its start as the first one had from its own, however late that was', () => {
  const events: RunEvent[] = []
  const run = { runId, kind: 'workflow', flowId: 'flow', starts: ['a'], startAtMs: 1_000, deadlineMs: 50 } as const
  const machine = RunMachine.create(run, 0, { redispatchMs: 100, onEvent: (event) => events.push(event) })
  machine.claim({ runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 10 }, 1_000)
  const error = { name: 'Error', message: 'broken' }
  const outcome = { type: 'failed', error, takenBy: { always: false, ifStarted: [] }, arrivals: [] } as const
  machine.commit({ runId, instanceId: 'a', fence: 1, commitId: 't', outcome }, 1_001)
  const { deadLetters, status } = recordOf(machine.state)
  expect(status).toBe('failed')

  const none = { childEnds: new Map(), newChildIds: new Map() }
  const again = redrivenRun(redrivePoint(events, deadLetters), { runId: parseRunId('r2'), ...none, atMs: 5_000 })

  expect(again.deadlineMs).toBe(50)
})
