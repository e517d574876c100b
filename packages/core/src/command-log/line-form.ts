/**
 * Commands as they stand in a log. Most lines are claims and commits of nodes that have succeeded; of a node
 * that does next to nothing the names of their members would be most of the line, and lines are what a backend keeps,
 * sends over the wire and asks money for. So these two are lists, whose first member says of what:
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
import type { Command } from '../machine/command.ts'
import { type StoredCommand, withoutRunId, withRunId } from '../machine/stored-command.ts'
import type { RunId } from '../model/ids.ts'
import type { Arrival } from '../model/run.ts'
import type { NextClaim } from '../ports/transition.ts'

type Commit = Extract<Command, { readonly type: 'commit' }>
type Claim = Extract<Command, { readonly type: 'claim' }>
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

/** @returns the list as which a command stands in its line; undefined for one that stands there by its names */
export function placesOf(command: Command): Places | undefined {
  if (command.type === 'commit') return placesOfCommit(command.transition)
  return command.type === 'claim' ? placesOfClaim(command.request) : undefined
}

/** @returns JSON */
export function lineOf(command: Command, places = placesOf(command)): string {
  return JSON.stringify(places ?? withoutRunId(command))
}

/** @param content what was parsed from a line in the log of that run; the command keeps what it is made of */
export function commandOf(content: StoredCommand | readonly unknown[], runId: RunId): Command {
  if (!isList(content)) return withRunId(content, runId)
  const [form] = content
  if (form === COMMIT) return commitOf(content, runId)
  if (form === CLAIM) return claimOf(content, runId)
  throw new Error(`no command has the form ${String(form)}: it may be from a newer version`)
}

function placesOfCommit(transition: Transition): Places | undefined {
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

function placesOfClaim(request: Claim['request']): Places | undefined {
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

function isList(content: StoredCommand | readonly unknown[]): content is readonly unknown[] {
  return Array.isArray(content)
}

// What follows is done for every line that is written or read. So there is a literal for each of the usual forms, and
// nothing is spread: an object that gains its members one by one costs several times as much, and so does whoever reads it.

function commitOf(places: readonly unknown[], runId: RunId): Commit {
  const [, instanceId, fence, commitId, ofOutcome, ofNext] = places
  const outcome = isPlaces(ofOutcome) ? outcomeOf(ofOutcome, instanceId) : ofOutcome
  const transition =
    ofNext === undefined
      ? { runId, instanceId, fence, commitId, outcome }
      : { runId, instanceId, fence, commitId, outcome, next: nextOf(ofNext as Places) }
  return { type: 'commit', transition: transition as Transition }
}

function outcomeOf([ofArrivals, named, output]: Places, origin: unknown) {
  const arrivals = (ofArrivals as Places[]).map((ofArrival) => arrivalOf(ofArrival, origin))
  const resultOf = named === 0 ? undefined : named
  if (output === undefined) {
    return resultOf === undefined ? { type: 'succeeded', arrivals } : { type: 'succeeded', arrivals, resultOf }
  }
  if (resultOf === undefined) return { type: 'succeeded', arrivals, output }
  return { type: 'succeeded', arrivals, resultOf, output }
}

function arrivalOf([to, edge, from, fate = FATE, rule = RULE, of = OF]: Places, origin: unknown) {
  return { to, edge, from: from === undefined ? origin : from, fate, rule, of }
}

function nextOf([workerId, leaseMs, ofCandidates]: Places) {
  return { workerId, leaseMs, candidates: (ofCandidates as Places[]).map(candidateOf) }
}

function candidateOf(places: Places) {
  const [nodeId] = places
  return places.length === 1 ? { nodeId } : { nodeId, ...needsOf(places, 1) }
}

function claimOf(places: readonly unknown[], runId: RunId): Claim {
  const [, instanceId, claimId, workerId, leaseMs] = places
  const request = { runId, instanceId, claimId, workerId, leaseMs, ...needsOf(places, 5) }
  return { type: 'claim', request: request as Claim['request'] }
}

/** @param at the place of the first of them */
function needsOf(places: readonly unknown[], at: number): Needs {
  const needs: { -readonly [Member in keyof Needs]: unknown } = {}
  const timeoutMs = places[at]
  const reads = places[at + 2]
  if (timeoutMs !== undefined && timeoutMs !== 0) needs.timeoutMs = timeoutMs
  if (places[at + 1] === 1) needs.input = true
  if (reads !== undefined) needs.reads = reads
  return needs as Needs
}

function isPlaces(value: unknown): value is Places {
  return Array.isArray(value)
}
