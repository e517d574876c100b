/** The journals and machines of all runs of a world, seen from outside of the store and without asking it. */
import type { RunEvent } from '@baton/core'
import type {
  ClaimRequest,
  ClaimResult,
  CommitResult,
  Notice,
  NoticeResult,
  RenewRequest,
  RenewResult,
  RunMachine,
  RunState,
  Transition,
} from '@baton/core/adapter'
import type { Actor } from '../../simulator/world/actor.ts'
import type { Onlooker } from '../../simulator/world/onlooker.ts'

const USERS_KINDS: readonly string[] = ['workflow', 'agent']

interface SeenRun {
  readonly events: RunEvent[]
  machine: RunMachine | undefined
  /** Of each instance the last event, and what came before its last claim. */
  readonly last: Map<string, { readonly type: RunEvent['type']; readonly before: RunEvent['type'] | undefined }>
}

export class RunsSeen implements Onlooker {
  readonly #runs = new Map<string, SeenRun>()

  /** In the order in which they were started. Without those that the engine keeps for itself. */
  get runIds(): readonly string[] {
    return [...this.#runs].flatMap(([runId, { machine }]) => {
      return machine !== undefined && USERS_KINDS.includes(machine.state.head.kind) ? [runId] : []
    })
  }

  eventsOf(runId: string): readonly RunEvent[] {
    return this.#runs.get(runId)?.events ?? []
  }

  /** Whether the instance was claimed because a wait of it is over: the call that it left goes on. */
  isBackFromWait(runId: string, instanceId: string): boolean {
    const { type, before } = this.#runs.get(runId)?.last.get(instanceId) ?? {}
    return type === 'node-claimed' && (before === 'node-slept' || before === 'node-awaited')
  }

  stateOf(runId: string): RunState | undefined {
    return this.#runs.get(runId)?.machine?.state
  }

  /** When the store will next have something due; infinite where it never will by itself. */
  nextDueAtMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { machine } of this.#runs.values()) next = Math.min(next, machine?.nextDueAtMs() ?? next)
    return next
  }

  watches(runId: string, machine: RunMachine): void {
    this.#of(runId).machine = machine
  }

  saw(runId: string, event: RunEvent): void {
    const { events, last } = this.#of(runId)
    events.push(event)
    if (!('instanceId' in event) || event.instanceId === undefined) return
    last.set(event.instanceId, { type: event.type, before: last.get(event.instanceId)?.type })
  }

  looks(): void {}

  claimed(_actor: Actor, _request: ClaimRequest, apply: () => ClaimResult): ClaimResult {
    return apply()
  }

  committed(_transition: Transition, apply: () => CommitResult): CommitResult {
    return apply()
  }

  notified(_notice: Notice, apply: () => NoticeResult): NoticeResult {
    return apply()
  }

  renewed(_request: RenewRequest, apply: () => RenewResult): RenewResult {
    return apply()
  }

  delivered<Answer>(_runId: string, _keys: readonly string[], apply: () => Answer): Answer {
    return apply()
  }

  purged<Answer>(apply: () => Answer): Answer {
    return apply()
  }

  #of(runId: string): SeenRun {
    const known = this.#runs.get(runId)
    if (known !== undefined) return known
    const seen: SeenRun = { events: [], machine: undefined, last: new Map() }
    this.#runs.set(runId, seen)
    return seen
  }
}
