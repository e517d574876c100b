/**
 * Random graphs, random fates, random interference: whatever happens, a run ends, and its journal tells how.
 *
 * The executor is the simplest there could be: it claims something that is due, decides at random what the node's code
 * did, and commits that. On the way it repeats itself, dies, and comes back with stale claims.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redrivenRun, redrivePoint } from '../client/redriven-run.ts'
import { afterFailure, afterItems, afterSkip, afterSuccess, fail, judge } from '../engine/decide.ts'
import { compileGraph, type Graph, nodeOf } from '../engine/graph.ts'
import { checkBlueprint } from '../model/check-blueprint.ts'
import type { RunEvent } from '../model/event.ts'
import { foldJournal } from '../model/fold.ts'
import { nodeOfInstance, parseRunId } from '../model/ids.ts'
import { isSettled, isTerminal } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { snapshotOf } from '../model/run-snapshot.ts'
import type { Claim } from '../ports/claim.ts'
import type { Outcome, Transition } from '../ports/transition.ts'
import type { CommandResult } from './apply.ts'
import { ownAnswer } from './own-answer.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('run')
const LEASE_MS = 100

interface NodePlan {
  readonly predecessors: readonly number[]
  readonly rule: 'all' | 'any' | 'any-ignore'
  readonly cancelLosers: boolean
  readonly attempts: number
  readonly map: { readonly concurrency: number; readonly maxFailures: number } | undefined
  readonly hasFallback: boolean
}

interface Plan {
  readonly nodes: readonly NodePlan[]
  /** By edge, round and round: whether it has a condition. */
  readonly conditions: readonly boolean[]
  readonly failFast: boolean
  readonly inline: boolean
  /** Work only on what a sweep would send jobs for. */
  readonly unsentOnly: boolean
  readonly deadlineMs: number | undefined
  /** The turn in which somebody cancels the run. */
  readonly cancelAt: number | undefined
  /** How often an operator gives a dead letter another chance. */
  readonly redrives: number
  /** The turn in which the run is left where it is, and another one goes on from its state. */
  readonly moveAt: number | undefined
  /** What chance decides, in the order in which it is asked. */
  readonly dice: readonly number[]
}

function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
}

const nodePlan: fc.Arbitrary<NodePlan> = fc.record({
  predecessors: fc.array(fc.nat(30), { maxLength: 4 }),
  rule: fc.constantFrom('all', 'any', 'any-ignore'),
  cancelLosers: fc.boolean(),
  attempts: fc.integer({ min: 1, max: 2 }),
  map: seldom(fc.record({ concurrency: fc.integer({ min: 1, max: 3 }), maxFailures: fc.nat(2) })),
  hasFallback: fc.boolean(),
})

const plan: fc.Arbitrary<Plan> = fc.record({
  nodes: fc.array(nodePlan, { minLength: 1, maxLength: 12 }),
  conditions: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
  failFast: fc.boolean(),
  inline: fc.boolean(),
  unsentOnly: fc.boolean(),
  deadlineMs: seldom(fc.integer({ min: 1, max: 1_000 })),
  cancelAt: seldom(fc.nat(20)),
  redrives: fc.nat(4),
  moveAt: seldom(fc.nat(20)),
  dice: fc.array(fc.nat(99), { minLength: 1, maxLength: 60 }),
})

function graphOf({ nodes, conditions, failFast }: Plan): Graph {
  const edges = nodes.flatMap(({ predecessors }, index) =>
    index === 0
      ? []
      : [...new Set(predecessors.map((one) => one % index))].map((one) => ({ source: `n${one}`, target: `n${index}` })),
  )
  const config = ({ rule, cancelLosers, attempts, map, hasFallback }: NodePlan, index: number) => ({
    ...(rule === 'all' ? {} : { joinStrategy: 'any', anyFailure: rule === 'any' ? 'cancel' : 'ignore', cancelLosers }),
    retry: { attempts },
    maxLostLeases: 2,
    ...(map === undefined ? {} : { map }),
    ...(hasFallback ? { fallback: `f${index}` } : {}),
  })
  return compileGraph(
    checkBlueprint({
      id: 'random',
      policy: { failFast },
      nodes: [
        ...nodes.map((node, index) => ({ id: `n${index}`, uses: 'x', config: config(node, index) })),
        ...nodes.flatMap(({ hasFallback }, index) => (hasFallback ? [{ id: `f${index}`, uses: 'x' }] : [])),
      ],
      edges: edges.map((edge, index) =>
        conditions[index % conditions.length] ? { ...edge, condition: 'maybe' } : edge,
      ),
    }),
  )
}

class Executor {
  events: RunEvent[] = []
  machine: RunMachine
  readonly #graph: Graph
  readonly #plan: Plan
  #atMs = 0
  #rolls = 0
  #ids = 0
  #redrives = 0
  #isDoneOver = false

  constructor(plan: Plan) {
    this.#plan = plan
    this.#graph = graphOf(plan)
    const { starts, failFast } = this.#graph
    const deadline = plan.deadlineMs === undefined ? {} : { deadlineMs: plan.deadlineMs }
    const run = { runId, kind: 'workflow' as const, flowId: 'random', input: [1], starts, failFast, ...deadline }
    this.machine = RunMachine.create(run, 0, { redispatchMs: 10, onEvent: (event) => this.events.push(event) })
  }

  run(): void {
    for (let turn = 0; !isTerminal(this.machine.state.status); turn++) {
      if (turn === this.#plan.moveAt && !this.#isDoneOver) this.#move()
      const { machine } = this
      this.#redrive()
      expect(turn, 'the run goes on and on').toBeLessThan(2_000)
      if (turn === this.#plan.cancelAt && !this.#isDoneOver)
        machine.notify({ type: 'cancel', runId, reason: 'enough' }, this.#atMs)
      this.#stray()
      const due = machine.due(this.#atMs, { unsentOnly: this.#plan.unsentOnly })
      const item = due[this.#roll() % Math.max(1, due.length)]
      if (item === undefined) this.#wait()
      else if (item.type === 'deadline') machine.notify({ type: 'deadline', runId }, this.#atMs)
      else if (item.type === 'instance') this.#work(item.instanceId)
    }
  }

  #redrive(): void {
    const { state } = this.machine
    const letters = [...(state.deadLetters?.keys() ?? [])]
    if (letters.length === 0 || this.#redrives >= this.#plan.redrives || this.#roll() < 50) return
    this.#redrives += 1
    const before = state.seq
    const one = letters[this.#roll() % (letters.length + 1)]
    const which = one === undefined ? {} : { instanceId: one }
    const { status } = this.machine.notify({ type: 'redrive', runId, ...which }, this.#atMs)
    if (status !== 'accepted') {
      return expect([status === 'stopping' || status === 'gone-on', state.seq]).toEqual([true, before])
    }
    for (const id of one === undefined ? letters : [one]) {
      expect(state.instances.get(id)?.status, `${id} is done over`).toMatch(/ready|waiting/)
    }
  }

  /** The run has ended, and what has failed is done over in a new one. @returns what need not be done again */
  doOver(): ReadonlySet<string> {
    const point = redrivePoint(this.events, recordOf(this.machine.state).deadLetters)
    const done = [...point.state.instances.values()].filter(({ status }) => status === 'succeeded')
    const none = { childEnds: new Map(), newChildIds: new Map() }
    const run = redrivenRun(point, { runId, ...none, atMs: this.#atMs })
    this.events = []
    const onEvent = (event: RunEvent) => void this.events.push(event)
    this.machine = RunMachine.create(JSON.parse(JSON.stringify(run)), this.#atMs, { redispatchMs: 10, onEvent })
    this.#isDoneOver = true
    return new Set(done.map(({ id }) => id))
  }

  /** Another run begins with the state of this one: all that the record tells is the same, but for claims and the past. */
  #move(): void {
    const { state } = this.machine
    if (state.stopping) return
    const { from, starts } = snapshotOf(state, this.#atMs)
    const { failFast } = this.#graph
    const run = { runId, kind: 'workflow' as const, flowId: 'random', input: [1], starts, failFast, from }
    const events: RunEvent[] = []
    const onEvent = (event: RunEvent) => void events.push(event)
    const moved = RunMachine.create(JSON.parse(JSON.stringify(run)), this.#atMs, { redispatchMs: 10, onEvent })
    const calledOff = (id: string) => state.instances.get(id)?.calledOff === true
    const told = ({ instances, context, output, deadLetters }: ReturnType<typeof recordOf>) => ({
      instances: instances.map((instance) => ({
        ...instance,
        status: instance.status.replace('claimed', calledOff(instance.instanceId) ? 'cancelled' : 'ready'),
        workerId: undefined,
        dueAtMs: undefined,
      })),
      context,
      output,
      deadLetters,
    })
    expect(told(recordOf(moved.state))).toEqual(told(recordOf(state)))
    this.machine = moved
    this.events = events
  }

  /** Nothing is due: time passes, or the signal comes that everybody waits for. */
  #wait(): void {
    const { machine } = this
    if (isTerminal(machine.state.status)) return
    const nextMs = machine.nextDueAtMs()
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#atMs = Math.max(nextMs, this.#atMs + 1)
      return
    }
    expect(machine.state.status, 'the run is stuck').toBe('paused')
    const signal = { type: 'signal' as const, runId, name: 'news', signalId: `s${this.#ids++}` }
    expect(machine.notify(signal, this.#atMs).status).toBe('accepted')
    expect(machine.notify(signal, this.#atMs).status).toMatch(/unchanged|ended/)
  }

  /** A job that comes too early or too late, for anything: its claim gets nothing that is not due. */
  #stray(): void {
    const ids = [...this.machine.state.instances.keys(), 'n11', 'nobody']
    const instanceId = ids[this.#roll() % ids.length] as string
    const due = this.machine.due(this.#atMs, { unsentOnly: false })
    if (due.some((item) => item.type === 'instance' && item.instanceId === instanceId)) return
    const request = { runId, instanceId, claimId: `c${this.#ids++}`, workerId: 'stray', leaseMs: LEASE_MS }
    expect(this.machine.claim(request, this.#atMs).status).not.toBe('claimed')
  }

  #work(instanceId: string): void {
    const request = { runId, instanceId, claimId: `c${this.#ids++}`, workerId: 'w', leaseMs: LEASE_MS, input: true }
    const answer = this.machine.claim(request, this.#atMs)
    if (answer.status !== 'claimed') return
    this.#sharesNothing({ type: 'claim', result: answer })
    let claim: Claim | undefined = answer.claim
    expect(this.machine.claim(request, this.#atMs)).toEqual(answer)
    while (claim !== undefined) {
      // It dies; or it freezes and has the instance taken from it.
      if (this.#roll() < 10) {
        this.#atMs += LEASE_MS
        return
      }
      claim = this.#commit(claim)
    }
  }

  #commit(claim: Claim): Claim | undefined {
    const node = nodeOf(this.#graph, nodeOfInstance(claim.instanceId))
    const outcome = this.#outcomeOf(claim)
    const transition: Transition = {
      runId,
      commitId: `t${this.#ids++}`,
      instanceId: claim.instanceId,
      fence: claim.fence,
      outcome,
      ...(this.#plan.inline ? { next: { workerId: 'w', leaseMs: LEASE_MS, candidates: node.candidates } } : {}),
    }
    this.#changesNothing({ ...transition, commitId: 'stale', fence: claim.fence - 1 }, 'fenced')
    const answer = this.machine.commit(transition, this.#atMs)
    if (answer.status !== 'committed') throw new Error(`not committed: ${answer.status}`)
    this.#sharesNothing({ type: 'commit', result: answer })
    expect(this.#changesNothing(transition, 'already-committed')).toEqual({ ...answer, status: 'already-committed' })
    this.#changesNothing(
      { ...transition, commitId: 'again' },
      isTerminal(this.machine.state.status) ? 'ended' : 'fenced',
    )
    return answer.claim
  }

  #sharesNothing(answer: CommandResult): void {
    const before = JSON.parse(JSON.stringify(answer))
    const own = ownAnswer(answer)
    expect(own).toEqual(before)
    const ofRun = objectsIn(this.machine.state)
    expect([...objectsIn(own)].filter((object) => ofRun.has(object))).toEqual([])
  }

  #changesNothing(transition: Transition, status: string) {
    const before = [this.events.length, JSON.stringify(recordOf(this.machine.state))]
    const answer = this.machine.commit(transition, this.#atMs)
    expect(answer.status).toBe(status)
    expect([this.events.length, JSON.stringify(recordOf(this.machine.state))]).toEqual(before)
    return answer
  }

  #outcomeOf(claim: Claim): Outcome {
    const graph = this.#graph
    const node = nodeOf(graph, nodeOfInstance(claim.instanceId))
    const verdict = judge(node, claim)
    if (verdict.type === 'skip') return afterSkip(graph, node, claim)
    if (verdict.type === 'fail') return fail(graph, node, claim, verdict.error)
    if (verdict.type === 'gather') return afterItems(graph, node, claim)
    const { map } = node.config
    if (map !== undefined && claim.item === undefined) {
      const items = Array.from({ length: this.#roll() % 5 }, (_, index) => index)
      if (items.length === 0) return afterSuccess(graph, node, claim, { output: [] })
      return { type: 'expanded', items, concurrency: map.concurrency ?? 1, maxFailures: map.maxFailures ?? 0 }
    }
    const luck = this.#roll()
    if (luck < 5) return { type: 'released' }
    if (luck < 30) {
      const failure = { error: { name: 'Error', message: 'unlucky' }, mayRetry: luck < 25, delayMs: luck }
      return afterFailure(graph, node, claim, failure)
    }
    if (luck < 35) {
      const position = claim.steps.length
      return { type: 'slept', step: { position, kind: 'sleep', name: 'sleep' }, delayMs: luck }
    }
    if (luck < 40) {
      const position = claim.steps.length
      return {
        type: 'awaited',
        step: { position, kind: 'signal', name: 'news' },
        wait: { kind: 'signal', name: 'news' },
      }
    }
    return afterSuccess(graph, node, claim, {
      output: { of: [claim.instanceId] },
      taken: node.outgoing.map(({ condition }) => condition === undefined || this.#roll() < 50),
    })
  }

  #roll(): number {
    const { dice } = this.#plan
    // The dice are few; shifting them from round to round keeps a run from repeating itself for ever.
    const round = Math.floor(this.#rolls / dice.length)
    return ((dice[this.#rolls++ % dice.length] ?? 0) + round * 37) % 100
  }
}

/** All objects that are reached from it. */
function objectsIn(value: unknown, found = new Set<object>()): ReadonlySet<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found
  found.add(value)
  const members = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value)
  for (const member of members) objectsIn(member, found)
  return found
}

/** What is so of every run that has ended. */
function checkEnd({ events, machine }: Executor): void {
  const { state } = machine
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(events.map(({ type }) => type).filter((type) => /^run-(completed|failed|cancelled)$/.test(type))).toEqual([
    events.at(-1)?.type,
  ])
  expect([state.open, state.claimed, state.waiting]).toEqual([0, 0, 0])
  expect([...state.instances.values()].filter(({ status }) => !isSettled(status))).toEqual([])
  const folded = foldJournal(events)
  expect(folded && recordOf(folded)).toEqual(recordOf(state))
  for (const instance of state.instances.values()) {
    const edges = instance.arrivals.map(({ edge }) => edge)
    expect(new Set(edges).size, `an edge arrives twice at ${instance.id}`).toBe(edges.length)
    const fates = events.filter(
      (event) =>
        (event.type === 'node-succeeded' ||
          event.type === 'node-failed' ||
          event.type === 'node-skipped' ||
          event.type === 'node-cancelled') &&
        event.instanceId === instance.id,
    )
    const reopened = events.filter(({ type }) => type === 'node-reopened').length
    expect(fates.length, `${instance.id} settles more than once`).toBeLessThanOrEqual(1 + reopened)
  }
  expect(machine.due(Number.MAX_SAFE_INTEGER, { unsentOnly: false })).toEqual([])
  expect(machine.nextDueAtMs()).toBe(Number.POSITIVE_INFINITY)
  // Whoever asks now hears that it is over, and writes nothing.
  const late = { runId, instanceId: 'n0', claimId: 'late', workerId: 'w', leaseMs: LEASE_MS }
  expect(machine.claim(late, Number.MAX_SAFE_INTEGER).status).toBe('ended')
  expect(machine.notify({ type: 'cancel', runId, reason: 'late' }, Number.MAX_SAFE_INTEGER).status).toBe('ended')
  expect(state.seq).toBe(events.length)
  const { outcome } = state
  const untaken = [...state.instances.values()].filter(({ status, untaken }) => status === 'failed' && untaken)
  // What fails while the run is cancelled decides nothing; else the run has failed as long as one failure is nobody's.
  const end = events.at(-1)
  if (end?.type === 'run-completed')
    expect([untaken.map(({ id }) => id), state.deadLetters?.size ?? 0]).toEqual([[], 0])
  if (end?.type === 'run-failed' && end.instanceId !== undefined) {
    expect(untaken.map(({ id }) => id)).toContain(end.instanceId)
    // An operator finds something to do in every run that has failed, unless no work of it has.
    expect(state.deadLetters?.size ?? 0, 'nothing can be done over').toBeGreaterThan(0)
  }
  expect(outcome?.status ?? 'completed').toBe(end?.type.slice('run-'.length))
  for (const id of state.deadLetters?.keys() ?? []) expect(state.instances.get(id)?.status).toBe('failed')
}

describe('a run of any graph, whatever its nodes do', () => {
  it('ends, joins once, and is what its journal tells', () => {
    fc.assert(
      fc.property(plan, (plan) => {
        const executor = new Executor(plan)

        executor.run()

        checkEnd(executor)
      }),
      { numRuns: 300 },
    )
  })

  it('is done over when it has failed, as often as one likes, and what had succeeded is not done again', () => {
    fc.assert(
      fc.property(plan, fc.integer({ min: 1, max: 3 }), (plan, times) => {
        // Who has moved has no journal of what failed before.
        const executor = new Executor({ ...plan, moveAt: undefined })
        executor.run()
        for (let time = 0; time < times && (executor.machine.state.deadLetters?.size ?? 0) > 0; time++) {
          const done = executor.doOver()

          executor.run()

          checkEnd(executor)
          const again = executor.events.filter((event) => event.type === 'node-claimed' && done.has(event.instanceId))
          expect(again).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})
