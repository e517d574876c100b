/** Places to plant a bug: what a worker asks of its store, what it is answered, and the machine behind the store. */
import type { IRunStore } from '@baton/core'
import type { Claim, ClaimResult, CommitResult, Notice, RunMachine, Transition } from '@baton/core/adapter'

/** Workers whose commits are other ones than their engine decided on. */
export function commits(change: (transition: Transition) => Transition) {
  return (store: IRunStore): IRunStore => ({ ...store, commit: (transition) => store.commit(change(transition)) })
}

/** Processes that tell a run something else than their engine decided on. */
export function notices(change: (notice: Notice) => Notice) {
  return (store: IRunStore): IRunStore => ({ ...store, notify: (notice) => store.notify(change(notice)) })
}

type OutcomeOf<Type extends Transition['outcome']['type']> = Extract<Transition['outcome'], { type: Type }>

/** The same for outcomes of one kind. */
export function outcomes<Type extends Transition['outcome']['type']>(
  type: Type,
  change: (outcome: OutcomeOf<Type>) => Transition['outcome'],
) {
  return commits((transition) =>
    transition.outcome.type === type
      ? { ...transition, outcome: change(transition.outcome as OutcomeOf<Type>) }
      : transition,
  )
}

/** The same for the arrivals of every outcome. */
export function arrivals(change: (arrivals: Arrivals) => Arrivals) {
  return commits((transition) => {
    const { outcome } = transition
    return 'arrivals' in outcome
      ? { ...transition, outcome: { ...outcome, arrivals: change(outcome.arrivals) } }
      : transition
  })
}

type Arrivals = OutcomeOf<'succeeded'>['arrivals']

/** Workers that take something else for what they have claimed. */
export function claims(change: (claim: Claim) => Claim) {
  const ofClaim = (result: ClaimResult): ClaimResult =>
    result.status === 'claimed' ? { ...result, claim: change(result.claim) } : result
  const ofCommit = (result: CommitResult): CommitResult =>
    'claim' in result && result.claim !== undefined ? { ...result, claim: change(result.claim) } : result
  return (store: IRunStore): IRunStore => ({
    ...store,
    claim: async (request) => ofClaim(await store.claim(request)),
    commit: async (transition) => ofCommit(await store.commit(transition)),
  })
}

/** A machine that is spoilt for the time of one kind of call: before it, or after it. */
export function around<Method extends 'claim' | 'commit' | 'notify' | 'renew'>(
  method: Method,
  spoil: {
    before?(machine: RunMachine, request: Parameters<RunMachine[Method]>[0], atMs: number): void
    after?(machine: RunMachine, request: Parameters<RunMachine[Method]>[0], atMs: number): void
  },
) {
  return (machine: RunMachine): void => {
    type Call = (request: unknown, atMs: number) => unknown
    const own = (machine[method] as Call).bind(machine)
    const spoilt: Call = (request, atMs) => {
      spoil.before?.(machine, request as Parameters<RunMachine[Method]>[0], atMs)
      const result = own(request, atMs)
      spoil.after?.(machine, request as Parameters<RunMachine[Method]>[0], atMs)
      return result
    }
    Object.assign(machine, { [method]: spoilt })
  }
}

/** Machines that never tell what they should, where something is so. */
export function tellsNo(key: string, isForgotten: (machine: RunMachine) => boolean) {
  return (machine: RunMachine): void => {
    const spoilt = <Request, Answer extends object>(own: (request: Request, atMs: number) => Answer) => {
      return (request: Request, atMs: number): Answer => {
        const answer = own(request, atMs)
        if (!('sent' in answer) || !isForgotten(machine)) return answer
        const sent = (answer.sent as readonly { readonly key: string }[]).filter((each) => !each.key.startsWith(key))
        for (const each of machine.state.outbox?.keys() ?? []) {
          if (each.startsWith(key)) machine.state.outbox?.delete(each)
        }
        return { ...answer, sent }
      }
    }
    machine.commit = spoilt(machine.commit.bind(machine))
    machine.notify = spoilt(machine.notify.bind(machine))
  }
}
