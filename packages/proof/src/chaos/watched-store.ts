/**
 * The store of a worker under attack. It changes nothing: it lets node code know the fence of its claim, which node code
 * has no other use for, and witnesses what was answered to commits.
 */
import type { IRunStore } from '@baton/core'
import type { Claim, ClaimRequest, ClaimResult, CommitResult, Outcome, Transition } from '@baton/core/adapter'
import type { Witness } from './witness.ts'

/** The context key under which node code finds its fence: read in the claim, and written nowhere. */
export const FENCE = 'chaos.fence'

export function watchedStore(store: IRunStore, witness: Witness): IRunStore {
  return withMethods(store, {
    claim: async (request: ClaimRequest) => claimed(await store.claim(request)),
    commit: async (transition: Transition) => committed(await store.commit(transition), transition, witness),
  })
}

/** The same store, with some of its methods replaced. */
export function withMethods(store: IRunStore, methods: Partial<IRunStore>): IRunStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(name in methods ? methods : target, name)
      return typeof member === 'function' && !(name in methods) ? member.bind(target) : member
    },
  })
}

function claimed(result: ClaimResult): ClaimResult {
  return result.status === 'claimed' ? { ...result, claim: withFence(result.claim) } : result
}

function committed(
  result: CommitResult,
  { runId, instanceId, fence, outcome, commitId }: Transition,
  witness: Witness,
): CommitResult {
  if (result.status !== 'committed' && result.status !== 'already-committed') return result
  witness.tell({ what: 'committed', runId, instanceId, fence, outcome: nameOf(outcome), commitId })
  return result.claim === undefined ? result : { ...result, claim: withFence(result.claim) }
}

/** A step that tells another run something, and an end that is none, are told apart: a cancel overtakes them. */
function nameOf(outcome: Outcome): string {
  if (outcome.type === 'stepped' && outcome.sends !== undefined) return 'sent'
  return outcome.type === 'succeeded' && outcome.continueAs !== undefined ? 'continued' : outcome.type
}

function withFence(claim: Claim): Claim {
  return { ...claim, context: { ...claim.context, [FENCE]: { value: claim.fence, version: 1 } } }
}
