/**
 * Commands as they stand in a log of Redis. Most lines are claims and commits of nodes that have succeeded; of a node
 * that does next to nothing the names of their members would be most of the line, and lines are what Redis keeps in
 * memory and sends over the wire. So these two are lists, whose first member says of what:
 *
 *   [0, instanceId, fence, commitId, outcome, next]       a commit
 *   [1, instanceId, claimId, workerId, leaseMs, needs]    a claim
 *   {…}                                                    every other command, by its names
 *
 *   outcome     [arrivals, resultOf or 0, output]          of a success with nothing else to it; or {…}
 *   arrivals    [[to, edge, from, fate, rule, of] …]
 *   next        [workerId, leaseMs, [[nodeId, needs] …]]
 *   needs       [timeoutMs or 0, 1 for the input, reads]
 *
 * What stands at the end of a list and goes without saying is left out: `NEEDS`, `FATE`, `RULE`, `OF`; an arrival comes from the
 * instance of its commit. Whatever does not fit is written by its names; nothing is ever dropped.
 *
 * Logs are read by this: no place may get another meaning. A new form is a new number in front, and who does not know
 * it stops at that line.
 */
import { type Arrival, type Command, type NextClaim, type StoredCommand, withoutRunId } from '@baton/core/adapter'

type Commit = Extract<StoredCommand, { readonly type: 'commit' }>
type Claim = Extract<StoredCommand, { readonly type: 'claim' }>
type Transition = Commit['transition']
type Outcome = Transition['outcome']
type Needs = Pick<Claim['request'], 'timeoutMs' | 'reads' | 'input'>
/** Members of a list that will be JSON. */
type Places = unknown[]

const COMMIT = 0
const CLAIM = 1
const FATE = 'succeeded'
const RULE = 'all'
const OF = 1

/** @returns JSON */
export function lineOf(command: Command): string {
  const places = placesOf(command)
  return JSON.stringify(places ?? withoutRunId(command))
}

/** @param content what was parsed from a line. @returns what was parsed from the JSON of that command without its run */
export function commandOf(content: StoredCommand | readonly unknown[]): StoredCommand {
  if (!Array.isArray(content)) return content as StoredCommand
  const [form, ...places] = content as [unknown, ...Places]
  if (form === COMMIT) return commitOf(places)
  if (form === CLAIM) return claimOf(places)
  throw new Error(`no command has the form ${String(form)}: it may be from a newer version`)
}

function placesOf(command: Command): Places | undefined {
  if (command.type === 'commit') return placesOfCommit(command.transition)
  return command.type === 'claim' ? placesOfClaim(command.request) : undefined
}

function placesOfCommit(transition: Extract<Command, { readonly type: 'commit' }>['transition']): Places | undefined {
  const { instanceId, fence, commitId, outcome, next } = transition
  if (!hasOnly(transition, 5, next)) return undefined
  const places: Places = [COMMIT, instanceId, fence, commitId, placesOfOutcome(outcome, instanceId) ?? outcome]
  if (next === undefined) return places
  const ofNext = placesOfNext(next)
  if (ofNext === undefined) return undefined
  places.push(ofNext)
  return places
}

function placesOfOutcome(outcome: Outcome, from: string): Places | undefined {
  if (outcome.type !== 'succeeded') return undefined
  const { arrivals, resultOf, output } = outcome
  if (!hasOnly(outcome, 2, resultOf, output)) return undefined
  const ofArrivals: Places = []
  for (const arrival of arrivals) {
    const ofArrival = placesOfArrival(arrival, from)
    if (ofArrival === undefined) return undefined
    ofArrivals.push(ofArrival)
  }
  if (output !== undefined) return [ofArrivals, resultOf ?? 0, output]
  return resultOf === undefined ? [ofArrivals] : [ofArrivals, resultOf]
}

function placesOfArrival(arrival: Arrival, origin: string): Places | undefined {
  const { to, edge, from, fate, rule, of } = arrival
  if (!hasOnly(arrival, 6)) return undefined
  if (of !== OF) return [to, edge, from, fate, rule, of]
  if (rule !== RULE) return [to, edge, from, fate, rule]
  if (fate !== FATE) return [to, edge, from, fate]
  return from === origin ? [to, edge] : [to, edge, from]
}

function placesOfNext(next: NextClaim): Places | undefined {
  const { workerId, leaseMs, candidates } = next
  if (!hasOnly(next, 3)) return undefined
  const ofCandidates: Places = []
  for (const candidate of candidates) {
    const { nodeId, timeoutMs, reads, input } = candidate
    if (!hasOnly(candidate, 1, timeoutMs, reads, input)) return undefined
    const ofCandidate: Places = [nodeId]
    if (!addNeeds(ofCandidate, candidate)) return undefined
    ofCandidates.push(ofCandidate)
  }
  return [workerId, leaseMs, ofCandidates]
}

function placesOfClaim(request: Extract<Command, { readonly type: 'claim' }>['request']): Places | undefined {
  const { instanceId, claimId, workerId, leaseMs, timeoutMs, reads, input } = request
  if (!hasOnly(request, 5, timeoutMs, reads, input)) return undefined
  const places: Places = [CLAIM, instanceId, claimId, workerId, leaseMs]
  return addNeeds(places, request) ? places : undefined
}

/** @returns whether they can be told by their places */
function addNeeds(places: Places, { timeoutMs, reads, input }: Needs): boolean {
  if (timeoutMs === 0 || input === false) return false
  if (reads !== undefined) places.push(timeoutMs ?? 0, input === true ? 1 : 0, reads)
  else if (input === true) places.push(timeoutMs ?? 0, 1)
  else if (timeoutMs !== undefined) places.push(timeoutMs)
  return true
}

/** Whether it has so many members, of which the optional ones that are not there do not count, and no other. */
function hasOnly(value: object, required: number, first?: unknown, second?: unknown, third?: unknown): boolean {
  let others = required
  if (first !== undefined) others += 1
  if (second !== undefined) others += 1
  if (third !== undefined) others += 1
  // Counted without a list of their names: this is done several times for every line.
  for (const _member in value) others -= 1
  return others === 0
}

function commitOf([instanceId, fence, commitId, outcome, next]: Places): Commit {
  const transition = {
    instanceId,
    fence,
    commitId,
    outcome: Array.isArray(outcome) ? outcomeOf(outcome, instanceId) : outcome,
    ...(next === undefined ? {} : { next: nextOf(next as Places) }),
  }
  return { type: 'commit', transition: transition as Transition }
}

function outcomeOf([arrivals, resultOf, output]: Places, origin: unknown) {
  return {
    type: 'succeeded',
    arrivals: (arrivals as Places[]).map(([to, edge, from = origin, fate = FATE, rule = RULE, of = OF]) => ({
      to,
      edge,
      from,
      fate,
      rule,
      of,
    })),
    ...(resultOf === undefined || resultOf === 0 ? {} : { resultOf }),
    ...(output === undefined ? {} : { output }),
  }
}

function nextOf([workerId, leaseMs, candidates]: Places) {
  return {
    workerId,
    leaseMs,
    candidates: (candidates as Places[]).map(([nodeId, ...needs]) => ({ nodeId, ...needsOf(needs) })),
  }
}

function claimOf([instanceId, claimId, workerId, leaseMs, ...needs]: Places): Claim {
  const request = { instanceId, claimId, workerId, leaseMs, ...needsOf(needs) }
  return { type: 'claim', request: request as Claim['request'] }
}

function needsOf([timeoutMs, input, reads]: Places): Needs {
  return {
    ...(timeoutMs === undefined || timeoutMs === 0 ? {} : { timeoutMs }),
    ...(input === 1 ? { input: true } : {}),
    ...(reads === undefined ? {} : { reads }),
  } as Needs
}
