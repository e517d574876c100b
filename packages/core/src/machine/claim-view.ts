/** What a claimer gets to see of an instance: all that it needs to execute it, and nothing of the rest of the run. */

import type { Mutable } from '../model/mutable.ts'
import type { HeldArrival, InstanceState, RunState } from '../model/run-state.ts'
import type { Claim, ClaimedArrival, ClaimNeeds } from '../ports/claim.ts'

const NO_CONTEXT: Claim['context'] = {}
const NO_STEPS: Claim['steps'] = []

export function claimView(state: RunState, instance: InstanceState, needs: ClaimNeeds): Claim {
  const { map } = instance
  const claim: Mutable<Claim> = {
    head: state.head,
    instanceId: instance.id,
    fence: instance.fence,
    attempt: instance.failures + 1,
    lostLeases: instance.lostLeases,
    arrivals: arrivalsOf(instance),
    steps: instance.steps === undefined ? NO_STEPS : [...instance.steps],
    context: needs.reads === undefined ? NO_CONTEXT : read(state, needs.reads),
  }
  if (needs.input === true && state.input !== undefined) claim.input = state.input
  if (instance.item !== undefined) claim.item = instance.item
  if (map !== undefined) claim.map = { count: map.items.length, maxFailures: map.maxFailures }
  return claim
}

/** The set that came in, each with what it brings; for a map that comes back, its items' fates as well. */
function arrivalsOf({ arrivals, map }: InstanceState): ClaimedArrival[] {
  if (map !== undefined) return [...arrivals, ...map.fates].map(claimedArrival)
  // By far the most nodes have one predecessor.
  const [only] = arrivals
  return only !== undefined && arrivals.length === 1 ? [claimedArrival(only)] : arrivals.map(claimedArrival)
}

function claimedArrival({ edge, from, fate, source }: HeldArrival): ClaimedArrival {
  const arrival: Mutable<ClaimedArrival> = { edge, from, fate }
  if (fate === 'succeeded' && source?.output !== undefined) arrival.output = source.output
  else if (fate === 'failed' && source?.error !== undefined) arrival.error = source.error
  return arrival
}

function read({ context }: RunState, keys: readonly string[]): Claim['context'] {
  const entries = keys.flatMap((key) => {
    const entry = context.get(key)
    return entry === undefined ? [] : [[key, entry] as const]
  })
  return Object.fromEntries(entries)
}
