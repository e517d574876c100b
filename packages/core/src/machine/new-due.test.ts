import { describe, expect, it } from 'vitest'
import { parseRunId } from '../model/ids.ts'
import type { Arrival } from '../model/run.ts'
import type { NextClaim } from '../ports/transition.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('run')
const LEASE_MS = 100
const work = { workerId: 'w', leaseMs: LEASE_MS }

function arrival(to: string): Arrival {
  return { to, edge: `a->${to}`, from: 'a', fate: 'succeeded', rule: 'all', of: 1 }
}

/** A run whose first node was claimed at 0, and nobody has asked since what became due. */
function started(): { machine: RunMachine; settle(successors: readonly string[], next?: NextClaim): void } {
  const machine = RunMachine.create({ runId, kind: 'workflow', flowId: 'flow', starts: ['a'] }, 0, { redispatchMs: 30 })
  machine.claim({ runId, instanceId: 'a', claimId: 'c', ...work }, 0)
  machine.takeNewDueAtMs()
  return {
    machine,
    settle(successors, next) {
      const outcome = { type: 'succeeded', arrivals: successors.map(arrival) } as const
      const more = next === undefined ? {} : { next }
      const result = machine.commit({ runId, commitId: 't', instanceId: 'a', fence: 1, outcome, ...more }, 10)
      expect(result.status).toBe('committed')
    },
  }
}

describe('What became due since somebody last asked', () => {
  it('is what a commit has made ready', () => {
    const { machine, settle } = started()
    settle(['b'])

    expect(machine.takeNewDueAtMs()).toBe(10)
    expect(machine.takeNewDueAtMs()).toBe(Number.POSITIVE_INFINITY)
  })

  it('is the end of the lease, of what was made ready and claimed in one go: nobody else could have had it', () => {
    const { machine, settle } = started()
    settle(['b'], { ...work, candidates: [{ nodeId: 'b' }] })

    expect(machine.takeNewDueAtMs()).toBe(10 + LEASE_MS)
  })

  it.each(['b', 'c'])('is what others may have, when of two that are ready %s is claimed', (nodeId) => {
    const { machine, settle } = started()
    settle(['b', 'c'], { ...work, candidates: [{ nodeId }] })

    expect(machine.takeNewDueAtMs()).toBe(10)
  })
})
