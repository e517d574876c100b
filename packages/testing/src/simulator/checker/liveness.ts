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
      const isLimited = rootRunId === LIMITED
      const { unheard, news } = this.#referee.limits
      if (behind.length === 0 && !(isLimited && unheard > 0)) continue
      const told = isLimited ? news - unheard : 0
      const seq = family.reduce(
        (sum, { model }) => sum + model.seq + model.publishedSeq - model.family.outbox.size,
        told,
      )
      const before = this.#progress.get(rootRunId)
      // Node code has asked for that instant, by a clock that may be far off.
      const isEarly = behind.some(({ model }) => model.startsAtMs > nowMs)
      if (before === undefined || before.seq !== seq || isEarly) this.#progress.set(rootRunId, { seq, atMs: nowMs })
      else if (nowMs - before.atMs > boundMs(this.#world)) {
        this.#referee.fails('I3', rootRunId, `stuck: ${behind.map(({ machine }) => stateOf(machine)).join('; ')}`)
      }
    }
  }

  /** Who waits for a run that goes on goes on as well; so does who waits for its slot. */
  #families(): ReadonlyMap<string, readonly Watched[]> {
    const families = new Map<string, Watched[]>()
    const runs = [...this.#referee.runs.values()]
    const limited = new Set(runs.filter(({ model }) => model.gates.gates.length > 0).map(rootOf))
    for (const run of runs) {
      const rootRunId = limited.has(rootOf(run)) ? LIMITED : rootOf(run)
      const family = families.get(rootRunId)
      if (family === undefined) families.set(rootRunId, [run])
      else family.push(run)
    }
    return families
  }
}

/** All families with a run that is under a limit. */
const LIMITED = 'all that are limited'

function rootOf({ machine }: Watched): string {
  return machine.state.head.lineage.rootRunId
}

function stateOf({ state }: RunMachine): string {
  const open = [...state.instances.values()].filter(({ settledSeq }) => settledSeq === 0)
  const left = [...open.map(({ id, status }) => `${id} ${status}`), ...(state.outbox?.keys() ?? [])]
  if (state.publication !== undefined) left.push(`published ${state.publication.publishedSeq} of ${state.seq}`)
  return `${state.status}, ${left.join(', ')}`
}
