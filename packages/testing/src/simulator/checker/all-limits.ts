/** All limiters of a world, and who has their slots by the journals of the runs themselves. */
import type { RunEvent } from '@baton/core'
import { foldJournal, type RunMachine, recordOf } from '@baton/core/adapter'
import { LimiterModel } from './limiter-model.ts'
import type { RunModel } from './run-model.ts'
import { Violation } from './violation.ts'

interface Watched {
  readonly model: LimiterModel
  readonly machine: RunMachine
  readonly events: RunEvent[]
}

export class AllLimits {
  readonly limiters = new Map<string, Watched>()
  /** The runs that hold a slot, by limiter: from the grant in their journal to their end. */
  readonly #holders = new Map<string, Set<string>>()
  /** Limiters that were not there when a run of theirs was gone. */
  readonly #goneBefore = new Set<string>()
  readonly #changed = new Set<string>()

  watches(runId: string, machine: RunMachine): void {
    const { first, generation } = machine.state.limiter ?? { first: runId, generation: 1 }
    const model = new LimiterModel(runId, first)
    this.limiters.set(runId, { model, machine, events: [] })
    if (generation === 1) return
    const before = this.limiters.get(generation === 2 ? first : `${first}:${generation - 1}`)?.model
    if (before?.left === undefined) throw new Violation('LIMIT', runId, 'no limiter has moved to it')
    model.follows(before)
  }

  /** @returns whether it is a limiter that the event is of */
  saw(runId: string, event: RunEvent): boolean {
    const limiter = this.limiters.get(runId)
    if (limiter === undefined) return false
    this.#changed.add(runId)
    limiter.events.push(event)
    limiter.model.saw(event)
    return true
  }

  /** A run was let in, by its own journal. */
  granted(limiter: string, { runId, gates }: RunModel): void {
    const gate = gates.gates.find((each) => each.limiter === limiter)
    const isGiven = this.#generations(limiter).some(({ model }) => model.letIn.has(runId))
    if (!isGiven) throw new Violation('LIMIT', runId, `${limiter} has not let it in`)
    if (gate === undefined || gate.perMs !== undefined) return
    const holders = this.#holders.get(limiter) ?? new Set()
    this.#holders.set(limiter, holders.add(runId))
    if (holders.size <= gate.most) return
    throw new Violation('LIMIT', runId, `${[...holders].join(', ')} have a slot of ${limiter}, which has ${gate.most}`)
  }

  /** A run has ended. */
  ended(runId: string): void {
    for (const holders of this.#holders.values()) holders.delete(runId)
  }

  /** Whether a limiter has heard what a run had to say to it. */
  hasAsked(limiter: string, runId: string): boolean {
    return this.#generations(limiter).some(({ model }) => model.asked.has(runId))
  }

  /**
   * A release has reached the limiter as it is now, whether it knew of the run or not. One that was not there yet holds nothing;
   * if the request comes later, whoever brings its grant to the run that has ended gives it back.
   */
  releases(at: string, runId: string): void {
    const limiter = this.limiters.get(at)
    if (limiter === undefined) this.#goneBefore.add(`${at} ${runId}`)
    else limiter.model.gone.add(runId)
  }

  hasGone(limiter: string, runId: string): boolean {
    const generations = this.#generations(limiter)
    if (generations.length === 0 || this.#goneBefore.has(`${limiter} ${runId}`)) return true
    return generations.some(({ model }) => model.gone.has(runId))
  }

  /** After each step. */
  looks(): void {
    for (const runId of this.#changed) {
      const { model, machine, events } = this.limiters.get(runId) as Watched
      const { limiter, ...rest } = recordOf(machine.state)
      if (limiter !== undefined) model.compare(limiter)
      const folded = foldJournal(events)
      const { limiter: other, ...same } = folded === undefined ? { limiter: undefined } : recordOf(folded)
      if (JSON.stringify([rest, limiter]) === JSON.stringify([same, other])) continue
      throw new Violation('I6', runId, 'the limiter is no fold of its journal')
    }
    this.#changed.clear()
  }

  /** How much is under way: what they have to say has not been heard. */
  get unheard(): number {
    return [...this.limiters.values()].reduce((sum, { machine }) => sum + (machine.state.outbox?.size ?? 0), 0)
  }

  get news(): number {
    return [...this.limiters.values()].reduce((sum, { machine }) => sum + machine.state.seq, 0)
  }

  /** A slot of a run that is over is free, but for one that was given to it since, and comes back. */
  checkEnd(isOver: (runId: string) => boolean): void {
    for (const [runId, { model, machine }] of this.limiters) {
      if (model.left !== undefined) continue
      const onTheWay = new Set([...(machine.state.outbox?.values() ?? [])].map(({ message }) => message.to as string))
      const lost = [...model.held].filter((holder) => !onTheWay.has(holder) && isOver(holder))
      if (lost.length > 0) throw new Violation('LIMIT', runId, `${lost.join(', ')} still have a slot, and are over`)
    }
  }

  #generations(first: string): readonly Watched[] {
    return [...this.limiters.values()].filter(({ model }) => model.first === first)
  }
}
