/** The state that the store holds against the fold of its journal, and against the referee's own counts. */
import { isTerminal, type RunEvent } from '@baton/core'
import { fold, foldJournal, isSettled, type RunMachine, type RunState } from '@baton/core/adapter'
import type { InvariantId } from './invariants.ts'
import type { RunModel } from './run-model.ts'
import { Violation } from './violation.ts'

type State = RunMachine['state']
type InstanceState = State['instances'] extends ReadonlyMap<string, infer Instance> ? Instance : never

export class StateCheck {
  readonly #model: RunModel
  readonly #machine: RunMachine
  #folded: RunState | undefined
  #outcome: string | undefined

  constructor(model: RunModel, machine: RunMachine) {
    this.#model = model
    this.#machine = machine
  }

  /** What an event makes of the state, from the journal alone. */
  saw(event: RunEvent): void {
    if (this.#folded === undefined) this.#folded = foldJournal([event])
    else {
      this.#folded.opened.length = 0
      fold(this.#folded, event)
    }
  }

  check(): void {
    const { state } = this.#machine
    const folded = this.#folded as RunState
    this.#must('I6', state.seq === folded.seq && state.status === folded.status, `${state.status} is ${folded.status}`)
    this.#must('I6', state.stopping === folded.stopping, 'stopping is no fold of the journal')
    this.#must('I17', state.instances.size === folded.instances.size, 'instances have come or gone without an event')
    for (const [id, instance] of state.instances) this.#compare(instance, folded.instances.get(id))
    this.#compareContext(state, folded)
    this.#count(state)
    this.#compareOutbox(state)
    const { isPublished, publishedSeq } = this.#model
    const stored = state.publication?.publishedSeq
    const isSame = isPublished ? stored === publishedSeq : stored === undefined
    this.#must('PUBLISH', isSame, `published up to ${publishedSeq}, and the store says ${stored}`)
    this.#checkEnd(state)
  }

  #compare(instance: InstanceState, other: InstanceState | undefined): void {
    const { id } = instance
    if (other === undefined) throw new Violation('I6', this.#model.runId, `${id} is in no event`)
    const isSame =
      instance.status === other.status &&
      instance.fence === other.fence &&
      instance.failures === other.failures &&
      instance.lostLeases === other.lostLeases &&
      instance.arrivals.length === other.arrivals.length &&
      instance.started === other.started &&
      instance.output === other.output &&
      instance.steps?.length === other.steps?.length
    this.#must('I6', isSame, `${id} is no fold of the journal: ${instance.status}, ${other.status}`)
    // When a lease ends is in no event; until when it sleeps or waits is.
    const isTimed = instance.status === 'ready' || instance.status === 'sleeping' || instance.status === 'awaiting'
    this.#must('I15', !isTimed || instance.dueAtMs === other.dueAtMs, `${id} is due at another time than was recorded`)
  }

  #compareContext(state: State, folded: State): void {
    this.#must('I6', state.context.size === folded.context.size, 'the context has other keys than the journal')
    for (const [key, { version }] of state.context) {
      this.#must('I6', folded.context.get(key)?.version === version, `${key} of the context has version ${version}`)
    }
  }

  /** Against the referee's own: that the journal has it says nothing of what has been delivered. */
  #compareOutbox({ outbox }: State): void {
    const { family } = this.#model
    const kept = [...(outbox?.keys() ?? [])]
    const missing = [...family.outbox].filter((key) => outbox?.has(key) !== true)
    this.#must('TREE', missing.length === 0, `${missing.join(', ')} is not to be delivered any more`)
    const surplus = kept.filter((key) => !family.outbox.has(key))
    this.#must('TREE', surplus.length === 0, `${surplus.join(', ')} is to be delivered, and nothing says why`)
  }

  #count(state: State): void {
    let open = 0
    let claimed = 0
    for (const { status } of state.instances.values()) {
      if (!isSettled(status)) open += 1
      if (status === 'claimed') claimed += 1
    }
    this.#must('I10', state.open === open && state.claimed === claimed, `${state.open} open of ${open}`)
    this.#must('I10', isTerminal(state.status) === (open === 0), `${state.status} with ${open} open instances`)
  }

  /** Whatever a run ended with stays what it was. */
  #checkEnd(state: State): void {
    this.#must('I5', isTerminal(state.status) === (this.#model.end !== undefined), `${state.status} without its event`)
    if (!isTerminal(state.status)) return
    const outcome = JSON.stringify([
      state.status,
      state.outcome,
      Array.from(state.results.values(), ({ output }) => output),
    ])
    this.#must('I5', this.#outcome === undefined || this.#outcome === outcome, 'the outcome changed after the end')
    this.#outcome = outcome
  }

  #must(invariant: InvariantId, holds: boolean, message: string): void {
    if (!holds) throw new Violation(invariant, this.#model.runId, message)
  }
}
