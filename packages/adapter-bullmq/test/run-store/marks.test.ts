import { applyCommand, type Command, parseRunId, type RunMachine } from '@baton/core/adapter'
import { describe, expect, it } from 'vitest'
import type { LoggedRun } from '../../src/run-store/logged-run.ts'
import { Marks } from '../../src/run-store/marks.ts'

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
      dueKey: 'due',
      logKey: 'log',
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
    expect(marks.step(run, LOOK_MS)?.words.split(' ').slice(2, 4)).toEqual(['3601002', '3601002'])
    expect(marks.step(run, LOOK_MS)).toBeUndefined()
  })

  it('are moved again after a step that was not answered, its note too', () => {
    const { marks, run } = asleep()
    const lost = marks.step(run, LOOK_MS)
    marks.disbelieve()
    expect(lost?.texts).toHaveLength(1)
    expect(marks.step(run, LOOK_MS)).toEqual(lost)
  })

  it('are moved by whoever was led to the run by one of them, whatever this process believes', () => {
    const { marks, run } = asleep()
    const lost = marks.step(run, LOOK_MS)
    expect(marks.step(run, LOOK_MS, true)).toEqual(lost)
  })
})
