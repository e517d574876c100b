/** With all faults healed, every run goes on within a bound, until it has ended (P4). */
import { isTerminal } from '@baton/core'
import type { RunMachine } from '@baton/core/adapter'
import type { World } from '../world/world.ts'
import type { Referee } from './referee.ts'

/**
 * A lease that a dead worker held, two sweeps, and the longest that the workload itself takes over anything: its sleeps,
 * its pauses between attempts, its work, and the people who answer.
 */
function boundMs({ leaseMs, sweepMs }: World): number {
  return leaseMs + 2 * sweepMs + LONGEST_OF_WORKLOAD_MS
}

const LONGEST_OF_WORKLOAD_MS = 12_000

export class Liveness {
  readonly #referee: Referee
  readonly #world: World
  readonly #progress = new Map<string, { seq: number; atMs: number }>()

  constructor(referee: Referee, world: World) {
    this.#referee = referee
    this.#world = world
  }

  check(): void {
    const { nowMs } = this.#world
    for (const [runId, { machine }] of this.#referee.runs) {
      const { seq, status } = machine.state
      if (isTerminal(status)) continue
      const before = this.#progress.get(runId)
      if (before === undefined || before.seq !== seq) this.#progress.set(runId, { seq, atMs: nowMs })
      else if (nowMs - before.atMs > boundMs(this.#world)) this.#referee.fails('I3', runId, `stuck: ${told(machine)}`)
    }
  }
}

function told({ state }: RunMachine): string {
  const open = [...state.instances.values()].filter(({ settledSeq }) => settledSeq === 0)
  return `${state.status}, ${open.map(({ id, status }) => `${id} ${status}`).join(', ')}`
}
