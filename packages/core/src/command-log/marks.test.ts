import { describe, expect, it } from 'vitest'
import { applyCommand } from '../machine/apply.ts'
import type { Command } from '../machine/command.ts'
import type { RunMachine } from '../machine/run-machine.ts'
import { parseRunId } from '../model/ids.ts'
import type { LoggedRun } from './logged-run.ts'
import { Marks } from './marks.ts'

const LOOK_MS = 30_000
const runId = parseRunId('r')
const own = { own: true, foreign: false, rewound: false }

/** A run of one node that sleeps for an hour, as its process has written it, with the marks that go with that. */
function asleep() {
  const marks = new Marks()
  let machine: RunMachine | undefined
  let position = 0
  const apply = (command: Command) => {
    const result = applyCommand(machine, command, 1_000 + position, { redispatchMs: LOOK_MS })
    if (result?.type === 'create') machine = result.machine
    position += 1
    marks.applied(run(), LOOK_MS, own)
  }
  const run = () =>
    ({
      machine,
      position,
      stamp: String(999 + position),
      nowMs: 999 + position,
    }) as LoggedRun
  const claim = { runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 1_000 }
  const step = { position: 1, kind: 'sleep' as const, name: 'sleep' }
  apply({ type: 'create', run: { runId, kind: 'workflow', flowId: 'f', starts: ['a'] } })
  apply({ type: 'claim', request: claim })
  apply({
    type: 'commit',
    transition: {
      runId,
      instanceId: 'a',
      fence: 1,
      commitId: 'd',
      outcome: { type: 'slept', step, delayMs: 3_600_000 },
    },
  })
  return { marks, run: run() }
}

describe('The marks of a run', () => {
  it('are moved once', () => {
    const { marks, run } = asleep()
    expect(marks.move(run, LOOK_MS)).toMatchObject({ dueMs: 3_601_002, remindMs: 3_601_002 })
    expect(marks.move(run, LOOK_MS)).toBeUndefined()
  })

  it('are moved again after a move that was not answered, its note too', () => {
    const { marks, run } = asleep()
    const lost = marks.move(run, LOOK_MS)
    marks.disbelieve()
    expect(lost?.note).toBeDefined()
    expect(marks.move(run, LOOK_MS)).toEqual(lost)
  })

  it('are moved by whoever was led to the run by one of them, whatever this process believes', () => {
    const { marks, run } = asleep()
    const lost = marks.move(run, LOOK_MS)
    expect(marks.move(run, LOOK_MS, true)).toEqual({ ...lost, isAwaited: true })
  })
})
