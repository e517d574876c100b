/** With all faults healed, every run goes on within a bound, until it has ended (P4). */
import type { RunMachine } from '@baton/core/adapter'
import type { World } from '../world/world.ts'
import type { Referee, Watched } from './referee.ts'

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
    for (const [rootRunId, family] of this.#families()) {
      const behind = family.filter(({ model }) => !model.isDone)
      if (behind.length === 0) continue
      const seq = family.reduce((sum, { model }) => sum + model.seq - model.family.outbox.size, 0)
      const before = this.#progress.get(rootRunId)
      if (before === undefined || before.seq !== seq) this.#progress.set(rootRunId, { seq, atMs: nowMs })
      else if (nowMs - before.atMs > boundMs(this.#world)) {
        this.#referee.fails('I3', rootRunId, `stuck: ${behind.map(({ machine }) => told(machine)).join('; ')}`)
      }
    }
  }

  /** Who waits for a run that goes on goes on as well. */
  #families(): ReadonlyMap<string, readonly Watched[]> {
    const families = new Map<string, Watched[]>()
    for (const run of this.#referee.runs.values()) {
      const { rootRunId } = run.machine.state.head.lineage
      const family = families.get(rootRunId)
      if (family === undefined) families.set(rootRunId, [run])
      else family.push(run)
    }
    return families
  }
}

function told({ state }: RunMachine): string {
  const open = [...state.instances.values()].filter(({ settledSeq }) => settledSeq === 0)
  const left = [...open.map(({ id, status }) => `${id} ${status}`), ...(state.outbox?.keys() ?? [])]
  return `${state.status}, ${left.join(', ')}`
}
