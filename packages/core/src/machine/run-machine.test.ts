import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../model/event.ts'
import { foldJournal } from '../model/fold.ts'
import { parseRunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { Arrival, NewRun, RecordedStep } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { summaryOf } from '../model/run-state.ts'
import type { Claim, ClaimRequest } from '../ports/claim.ts'
import type { CommitResult, NextClaim, Outcome } from '../ports/transition.ts'
import { RunMachine } from './run-machine.ts'

const runId = parseRunId('run')
const LEASE_MS = 100
const REDISPATCH_MS = 30

/** A run in the hands of a test: the clock stands where the test puts it. */
class World {
  atMs = 1_000
  readonly events: RunEvent[] = []
  readonly machine: RunMachine
  #ids = 0

  constructor(run: Partial<NewRun> = {}) {
    const whole: NewRun = { runId, kind: 'workflow', flowId: 'flow', starts: ['a'], ...run }
    const options = { redispatchMs: REDISPATCH_MS, onEvent: (event: RunEvent) => this.events.push(event) }
    this.machine = RunMachine.create(whole, this.atMs, options)
  }

  get state() {
    return this.machine.state
  }

  get types() {
    return this.events.map(({ type }) => type)
  }

  statusOf(instanceId: string) {
    return this.state.instances.get(instanceId)?.status
  }

  ask(instanceId: string, more: Partial<ClaimRequest> = {}) {
    const request = { runId, instanceId, claimId: `c${this.#ids++}`, workerId: 'w', leaseMs: LEASE_MS, ...more }
    return this.machine.claim(request, this.atMs)
  }

  claim(instanceId: string, more: Partial<ClaimRequest> = {}): Claim {
    const answer = this.ask(instanceId, more)
    if (answer.status !== 'claimed') throw new Error(`${instanceId}: ${answer.status}`)
    return answer.claim
  }

  commit(
    { instanceId, fence }: Claim,
    outcome: Outcome,
    more: { commitId?: string; next?: NextClaim } = {},
  ): CommitResult {
    const commitId = `t${this.#ids++}`
    return this.machine.commit({ runId, commitId, instanceId, fence, outcome, ...more }, this.atMs)
  }

  /** Claims it and lets it succeed. */
  finish(instanceId: string, outcome: Partial<Outcome> = {}): CommitResult {
    return this.commit(this.claim(instanceId), { type: 'succeeded', arrivals: [], ...outcome } as Outcome)
  }

  renew(claim: Claim, leaseMs = LEASE_MS) {
    return this.machine.renew({ runId, leaseMs, claims: [claim] }, this.atMs)
  }

  signal(name: string, payload?: JsonValue, signalId?: string) {
    const more = { ...(payload === undefined ? {} : { payload }), ...(signalId === undefined ? {} : { signalId }) }
    return this.machine.notify({ type: 'signal', runId, name, ...more }, this.atMs)
  }

  decide(approvalId: string, approved: boolean, by = 'ann') {
    return this.machine.notify({ type: 'decide', runId, approvalId, decision: { approved, by } }, this.atMs)
  }

  cancel() {
    return this.machine.notify({ type: 'cancel', runId, reason: 'enough' }, this.atMs)
  }

  due(unsentOnly = false) {
    const items = this.machine.due(this.atMs, { unsentOnly })
    return items.map((item) => (item.type === 'instance' ? item.instanceId : item.type))
  }
}

const done: Outcome = { type: 'succeeded', arrivals: [] }
const error = { name: 'Error', message: 'no' }
const untaken = { always: false, ifStarted: [] }
const failed: Outcome = { type: 'failed', error, takenBy: untaken, arrivals: [] }
const to = (target: string, from: string, more: Partial<Arrival> = {}): Arrival => ({
  to: target,
  edge: `${from}->${target}`,
  from,
  fate: 'succeeded',
  rule: 'all',
  of: 1,
  ...more,
})
const step = (position: number, name = `s${position}`, result?: JsonValue): RecordedStep => ({
  position,
  kind: 'step',
  name,
  ...(result === undefined ? {} : { result }),
})
const slept = (delayMs: number): Outcome => ({
  type: 'slept',
  step: { position: 0, kind: 'sleep', name: 'sleep' },
  delayMs,
})
const awaited = (kind: 'signal' | 'approval', name: string, timeoutMs?: number): Outcome => ({
  type: 'awaited',
  step: { position: 0, kind, name },
  wait: { kind, name },
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
})
const candidates = (...nodeIds: string[]): NextClaim => ({
  workerId: 'w',
  leaseMs: LEASE_MS,
  candidates: nodeIds.map((nodeId) => ({ nodeId })),
})

describe('a run', () => {
  it('begins with its start instances ready, and runs from the first claim on', () => {
    const world = new World({ starts: ['a', 'b'], input: { n: 1 }, context: { key: 'value' } })

    expect(world.state.status).toBe('pending')
    expect(world.due()).toEqual(['a', 'b'])
    expect(world.claim('a', { input: true, reads: ['key', 'none'] })).toMatchObject({
      fence: 1,
      attempt: 1,
      input: { n: 1 },
      context: { key: { value: 'value', version: 1 } },
    })
    expect(world.state.status).toBe('running')
  })

  it('waits for its time', () => {
    const world = new World({ startAtMs: 2_000 })

    expect(world.due()).toEqual([])
    expect(world.machine.nextDueAtMs()).toBe(2_000)
    expect(world.ask('a').status).toBe('not-claimable')

    world.atMs = 2_000
    expect(world.claim('a').fence).toBe(1)
  })

  it('is completed when nothing is left, with the output of its only end', () => {
    const world = new World()

    world.finish('a', { arrivals: [to('b', 'a')] })
    world.finish('b', { output: 'out', resultOf: 'b' })

    expect(summaryOf(world.state)).toMatchObject({ status: 'completed', output: 'out', endedAtMs: 1_000 })
    expect(world.types.at(-1)).toBe('run-completed')
  })

  it('has an object of outputs when it has several ends', () => {
    const world = new World({ starts: ['a', 'b'] })

    world.finish('a', { output: 1, resultOf: 'a' })
    world.finish('b', { resultOf: 'b' })

    expect(summaryOf(world.state).output).toEqual({ a: 1, b: null })
  })

  it('knows whether a second start asks for the same', () => {
    const world = new World({ input: { a: 1, b: 2 }, version: '1' })
    const same = {
      runId,
      kind: 'workflow' as const,
      flowId: 'flow',
      version: '1',
      starts: ['a'],
      input: { b: 2, a: 1 },
    }

    expect(world.machine.isSameStart(same)).toBe(true)
    expect(world.machine.isSameStart({ ...same, input: { a: 1 } })).toBe(false)
    expect(world.machine.isSameStart({ ...same, version: '2' })).toBe(false)
    expect(world.machine.isSameStart({ ...same, flowId: 'other' })).toBe(false)
  })
})

describe('a claim', () => {
  it('lets one of two claimants through (P2)', () => {
    const world = new World()

    world.claim('a')

    expect(world.ask('a').status).toBe('not-claimable')
  })

  it('asked again, is the same claim, and costs no event', () => {
    const world = new World()
    const first = world.claim('a', { claimId: 'mine' })
    const before = world.events.length

    expect(world.claim('a', { claimId: 'mine' })).toEqual(first)
    expect(world.events).toHaveLength(before)
  })

  it('is for what exists', () => {
    expect(new World().ask('nobody').status).toBe('not-claimable')
  })

  it('can be taken when its lease has ended, with a newer fence; the old one is refused', () => {
    const world = new World()
    const old = world.claim('a')

    world.atMs += LEASE_MS - 1
    expect(world.ask('a').status).toBe('not-claimable')
    world.atMs += 1
    const newer = world.claim('a', { workerId: 'other' })

    expect(newer).toMatchObject({ fence: 2, attempt: 1, lostLeases: 1 })
    const before = world.events.length
    expect(world.commit(old, done)).toEqual({ status: 'fenced' })
    expect(world.renew(old).lost).toEqual(['a'])
    expect(world.events).toHaveLength(before)
    expect(world.commit(newer, done).status).toBe('committed')
  })

  it('may still commit after its lease, as long as nobody took it', () => {
    const world = new World()
    const claim = world.claim('a')

    world.atMs += 10 * LEASE_MS

    expect(world.commit(claim, done).status).toBe('committed')
  })

  it('handed back costs neither an attempt nor a lost lease', () => {
    const world = new World()

    expect(world.commit(world.claim('a'), { type: 'released' })).toMatchObject({ ready: ['a'] })

    expect(world.claim('a')).toMatchObject({ fence: 2, attempt: 1, lostLeases: 0 })
  })

  it('counts each lost lease, for `maxLostLeases` to judge', () => {
    const world = new World()

    for (let lost = 0; lost < 7; lost++) {
      expect(world.claim('a').lostLeases).toBe(lost)
      world.atMs += LEASE_MS
    }
    expect(world.claim('a')).toMatchObject({ lostLeases: 7, attempt: 1, fence: 8 })
  })
})

describe('renew', () => {
  it('makes the lease longer', () => {
    const world = new World()
    const claim = world.claim('a')

    world.atMs += 50
    expect(world.renew(claim)).toEqual({
      run: { status: 'running', stopping: false, seq: expect.any(Number) },
      lost: [],
      cancelled: [],
    })

    world.atMs += LEASE_MS - 1
    expect(world.ask('a').status).toBe('not-claimable')
    world.atMs += 1
    expect(world.ask('a').status).toBe('claimed')
  })

  it('never beyond the timeout of the attempt', () => {
    const world = new World()
    const claim = world.claim('a', { timeoutMs: 150 })

    world.atMs += 90
    world.renew(claim)
    expect(world.machine.nextDueAtMs()).toBe(1_150)

    world.atMs += 60
    expect(world.renew(claim).lost).toEqual(['a'])
    expect(world.ask('a').status).toBe('claimed')
  })

  it('tells what the holder should know: lost, called off, stopping', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    const [a, b] = [world.claim('a'), world.claim('b')]
    world.finish('c', { cancels: ['b'] })

    const claims = [a, b, { instanceId: 'c', fence: 1 }, { instanceId: 'x', fence: 1 }]
    expect(world.machine.renew({ runId, leaseMs: LEASE_MS, claims }, world.atMs)).toMatchObject({
      lost: ['c', 'x'],
      cancelled: ['b'],
    })

    world.cancel()
    expect(world.renew(a).run).toEqual({ status: 'cancelling', stopping: true, seq: expect.any(Number) })
  })
})

describe('a commit', () => {
  it('asked again, gives its answer again and changes nothing (P2)', () => {
    const world = new World()
    const claim = world.claim('a')
    const outcome: Outcome = { type: 'succeeded', arrivals: [to('b', 'a'), to('c', 'a')] }
    const more = { commitId: 'mine', next: candidates('b') }

    const first = world.commit(claim, outcome, more)
    const before = world.events.length

    expect(first).toMatchObject({ status: 'committed', ready: ['c'], claim: { instanceId: 'b', fence: 1 } })
    expect(world.commit(claim, outcome, more)).toEqual({ ...first, status: 'already-committed' })
    expect(world.events).toHaveLength(before)
  })

  it('asked again when the next claim has moved on, does not give that away twice', () => {
    const world = new World()
    const claim = world.claim('a')
    const outcome: Outcome = { type: 'succeeded', arrivals: [to('b', 'a')] }
    const more = { commitId: 'mine', next: candidates('b') }
    world.commit(claim, outcome, more)
    world.atMs += LEASE_MS
    world.claim('b', { workerId: 'other' })

    expect(world.commit(claim, outcome, more)).not.toHaveProperty('claim')
  })

  it('of a settled instance, an unknown one, an ended run: is refused and changes nothing', () => {
    const world = new World({ starts: ['a', 'b'] })
    const claim = world.claim('a')
    world.commit(claim, done)

    expect(world.commit(claim, failed)).toEqual({ status: 'fenced' })
    expect(world.commit({ ...claim, instanceId: 'x' }, done)).toEqual({ status: 'fenced' })
    world.finish('b')
    expect(world.commit(claim, failed)).toEqual({ status: 'ended' })
    expect(world.state.status).toBe('completed')
  })

  it('whose delta does not fit changes nothing, and can be followed by another', () => {
    const world = new World({ context: { n: 'text' } })
    const claim = world.claim('a')
    const before = world.events.length

    const answer = world.commit(claim, { ...done, deltas: [{ op: 'increment', key: 'n', by: 1 }] } as Outcome)

    expect(answer).toMatchObject({ status: 'conflict', field: 'context.n' })
    expect(world.events).toHaveLength(before)
    expect(world.commit(claim, failed).status).toBe('committed')
  })

  it('claims the first that a candidate allows, and names the others as jobs', () => {
    const world = new World()
    const arrivals = ['b', 'c', 'd'].map((id) => to(id, 'a'))

    const answer = world.commit(world.claim('a'), { type: 'succeeded', arrivals }, { next: candidates('c', 'd') })

    expect(answer).toMatchObject({ ready: ['b', 'd'], claim: { instanceId: 'c' } })
  })

  it('that fails is tried again when its time has come', () => {
    const world = new World()

    world.commit(world.claim('a'), { type: 'retried', error, delayMs: 500 })

    expect(world.due()).toEqual([])
    expect(world.machine.nextDueAtMs()).toBe(1_500)
    world.atMs = 1_500
    expect(world.due(true)).toEqual(['a'])
    expect(world.claim('a')).toMatchObject({ attempt: 2, lostLeases: 0 })
  })
})

describe('a join', () => {
  const half = (from: string, more: Partial<Arrival> = {}) => [to('j', from, { of: 2, ...more })]

  it('of all is ready once, with every arrival (P3)', () => {
    const world = new World({ starts: ['a', 'b'] })

    expect(world.finish('a', { output: 1, arrivals: half('a') })).toMatchObject({ ready: [] })
    expect(world.finish('b', { arrivals: half('b', { fate: 'skipped' }) })).toMatchObject({ ready: ['j'] })

    expect(world.claim('j').arrivals).toEqual([
      { edge: 'a->j', from: 'a', fate: 'succeeded', output: 1 },
      { edge: 'b->j', from: 'b', fate: 'skipped' },
    ])
  })

  it('takes one edge once', () => {
    const world = new World({ starts: ['a', 'b'] })

    world.finish('a', { arrivals: [...half('a'), ...half('a')] })

    expect(world.statusOf('j')).toBe('waiting')
  })

  it('of any is ready with the first success, and deaf once it has started', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    world.finish('a', { arrivals: half('a', { rule: 'any', of: 3 }) })
    const claim = world.claim('j')

    expect(world.finish('b', { arrivals: half('b', { rule: 'any', of: 3 }) })).toMatchObject({ ready: [] })
    const takenBy = { always: false, ifStarted: ['j'] }
    const arrivals = half('c', { rule: 'any', of: 3, fate: 'failed' })
    const settlements = [{ instanceId: 'j', fate: { type: 'failed' as const, error, takenBy: untaken }, arrivals: [] }]
    world.commit(world.claim('c'), { type: 'failed', error, takenBy, arrivals, settlements })

    expect(claim.arrivals).toHaveLength(1)
    expect(world.state.outcome).toBeUndefined()
    expect(world.statusOf('j')).toBe('claimed')
    world.commit(claim, done)
    expect(world.state.status).toBe('completed')
  })

  it('of any that is ready is called off by a failure, as the documents say', () => {
    const world = new World({ starts: ['a', 'b'] })
    world.finish('b', { arrivals: half('b', { rule: 'any' }) })
    expect(world.statusOf('j')).toBe('ready')

    const takenBy = { always: false, ifStarted: ['j'] }
    const arrivals = half('a', { rule: 'any', fate: 'failed' })
    const settlements = [{ instanceId: 'j', fate: { type: 'failed' as const, error, takenBy: untaken }, arrivals: [] }]
    world.commit(world.claim('a'), { type: 'failed', error, takenBy, arrivals, settlements })

    expect(world.statusOf('j')).toBe('failed')
    expect(world.state.status).toBe('failed')
    expect(world.ask('j').status).toBe('ended')
  })

  it('that ignores failures waits for a success, or for everybody', () => {
    const world = new World({ starts: ['a', 'b'] })
    const takenBy = { always: true, ifStarted: [] }
    const lose = (id: string) =>
      world.commit(world.claim(id), {
        type: 'failed',
        error,
        takenBy,
        arrivals: half(id, { rule: 'any-ignore', fate: 'failed' }),
      })

    expect(lose('a')).toMatchObject({ ready: [], run: { stopping: false } })
    expect(lose('b')).toMatchObject({ ready: ['j'] })
    expect(world.claim('j').arrivals.map(({ error }) => error?.message)).toEqual(['no', 'no'])
  })

  it('calls off its losers, also those that nobody has reached yet', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    const held = world.claim('b')
    world.finish('a', { cancels: ['b', 'c', 'later'] })

    expect(['b', 'c', 'later'].map((id) => world.statusOf(id))).toEqual(['claimed', 'cancelled', 'cancelled'])
    expect(world.commit(held, { type: 'retried', error, delayMs: 0 })).toMatchObject({ status: 'committed' })
    expect(world.statusOf('b')).toBe('cancelled')
    expect(world.state.status).toBe('completed')
  })
})

describe('fates that need no code', () => {
  it('are applied only where what they follow from was applied', () => {
    const world = new World({ starts: ['a', 'j'] })
    const j = world.claim('j')
    const settlements = [
      { instanceId: 'j', fate: { type: 'failed' as const, error, takenBy: untaken }, arrivals: [] },
      {
        instanceId: 'k',
        after: 0,
        fate: { type: 'skipped' as const, reason: 'upstream-failed' as const },
        arrivals: [],
      },
      { instanceId: 'l', fate: { type: 'skipped' as const, reason: 'not-taken' as const }, arrivals: [] },
    ]

    world.finish('a', { settlements })

    expect(['j', 'k', 'l'].map((id) => world.statusOf(id))).toEqual(['claimed', undefined, 'skipped'])
    world.commit(j, done)
    expect(world.state.status).toBe('completed')
  })
})

describe('a failure', () => {
  it('that fails fast stops what has not begun, and lets a sibling record its end', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    const sibling = world.claim('b')

    const answer = world.commit(world.claim('a'), failed)

    expect(answer).toMatchObject({ ready: [], run: { status: 'running', stopping: true } })
    expect(world.ask('c').status).toBe('cancelled')
    expect(world.commit(sibling, { ...done, output: 'late' } as Outcome)).toMatchObject({ run: { status: 'failed' } })
    expect(summaryOf(world.state)).toMatchObject({ status: 'failed', error })
    expect(['a', 'b', 'c'].map((id) => world.statusOf(id))).toEqual(['failed', 'succeeded', 'cancelled'])
    expect(world.types.at(-1)).toBe('run-failed')
  })

  it('that does not fail fast lets the other branches finish', () => {
    const world = new World({ starts: ['a', 'b'], failFast: false })

    expect(world.commit(world.claim('a'), failed)).toMatchObject({ run: { status: 'running', stopping: false } })
    expect(world.finish('b', { arrivals: [to('c', 'b')] })).toMatchObject({ ready: ['c'] })
    world.finish('c')

    expect(world.state.status).toBe('failed')
  })

  it('of a run that stops is found by the sweep, when the worker of its last claim has died', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    world.claim('b')
    world.commit(world.claim('a'), failed)
    expect(world.due()).toEqual([])

    world.atMs += LEASE_MS
    expect(world.due()).toEqual(['b'])
    expect(world.ask('b').status).toBe('ended')

    expect(world.state.status).toBe('failed')
    expect(world.statusOf('b')).toBe('cancelled')
  })
})

describe('cancel', () => {
  it('ends a run that nobody works on, at once', () => {
    const world = new World()

    expect(world.cancel()).toMatchObject({ status: 'accepted', ready: [], run: { status: 'cancelled' } })

    expect(summaryOf(world.state)).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(world.ask('a').status).toBe('ended')
    expect(world.cancel().status).toBe('ended')
  })

  it('waits for the last claim, which may still record what happened', () => {
    const world = new World({ starts: ['a', 'b'] })
    const claim = world.claim('a')

    expect(world.cancel()).toMatchObject({ status: 'accepted', run: { status: 'cancelling', stopping: true } })
    expect(world.cancel().status).toBe('unchanged')
    expect(world.ask('b').status).toBe('cancelled')
    const answer = world.commit(claim, { type: 'succeeded', arrivals: [to('c', 'a')] }, { next: candidates('c') })

    expect(answer).toMatchObject({ ready: [], run: { status: 'cancelled' } })
    expect(answer).not.toHaveProperty('claim')
    expect(world.statusOf('a')).toBe('succeeded')
  })

  it.each(['retried', 'slept', 'awaited', 'expanded', 'released', 'cancelled'])(
    'calls off work that would go on: %s',
    (type) => {
      const world = new World()
      const claim = world.claim('a')
      world.cancel()
      const outcomes: Record<string, Outcome> = {
        retried: { type: 'retried', error, delayMs: 0 },
        slept: slept(5),
        awaited: awaited('signal', 's'),
        expanded: { type: 'expanded', items: [1], concurrency: 1, maxFailures: 0 },
        released: { type: 'released' },
        cancelled: { type: 'cancelled', reason: 'told to' },
      }

      world.commit(claim, outcomes[type] as Outcome)

      expect(world.statusOf('a')).toBe('cancelled')
      expect(world.state.status).toBe('cancelled')
    },
  )

  it('comes too late for an outcome that is fixed (P5)', () => {
    const world = new World({ starts: ['a', 'b'], failFast: false })
    world.commit(world.claim('a'), failed)

    expect(world.cancel()).toMatchObject({ status: 'accepted', run: { status: 'failed' } })

    expect(world.state.status).toBe('failed')
  })
})

describe('a deadline', () => {
  it('fails the run, once', () => {
    const world = new World({ deadlineMs: 50 })
    expect(world.machine.notify({ type: 'deadline', runId }, world.atMs).status).toBe('unchanged')

    world.atMs += 50
    expect(world.due()).toEqual(['a', 'deadline'])
    expect(world.machine.notify({ type: 'deadline', runId }, world.atMs).status).toBe('accepted')

    expect(summaryOf(world.state)).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
    expect(world.due()).toEqual([])
    expect(world.machine.notify({ type: 'deadline', runId }, world.atMs).status).toBe('ended')
  })

  it('counts from the start, not from the creation', () => {
    expect(new World({ startAtMs: 5_000, deadlineMs: 50 }).state.head.deadlineAtMs).toBe(5_050)
  })

  it.each([['a'], ['nobody']])('that a claim comes upon ends the run too: %s', (instanceId) => {
    const world = new World({ deadlineMs: 50 })
    world.commit(world.claim('a'), slept(10_000))

    world.atMs += 50

    expect(world.ask(instanceId).status).toBe('ended')
    expect(world.state.status).toBe('failed')
  })

  it('is not outrun by a chain of commits that claim what comes next', () => {
    const world = new World({ deadlineMs: 50 })
    const claim = world.claim('a')

    world.atMs += 50
    const answer = world.commit(claim, { ...done, arrivals: [to('b', 'a')] }, { next: candidates('b') })

    expect(answer).toMatchObject({ status: 'committed', ready: [], run: { status: 'failed' } })
    expect(answer).not.toHaveProperty('claim')
    expect(summaryOf(world.state)).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
  })

  it('runs on during a pause', () => {
    const world = new World({ deadlineMs: 50 })
    world.commit(world.claim('a'), awaited('signal', 's'))

    expect(world.machine.nextDueAtMs()).toBe(1_050)
  })

  it('also ends a run that has failed and goes on, as the failure that it is', () => {
    const world = new World({ starts: ['a', 'b'], failFast: false, deadlineMs: 50 })
    world.commit(world.claim('a'), failed)
    world.commit(world.claim('b'), slept(10_000))

    world.atMs += 50
    expect(world.due()).toEqual(['deadline'])
    world.machine.notify({ type: 'deadline', runId }, world.atMs)

    expect(summaryOf(world.state)).toMatchObject({ status: 'failed', error })
  })
})

describe('a sleep', () => {
  it('holds no worker, and feeds itself back', () => {
    const world = new World()

    world.commit(world.claim('a'), slept(50))

    expect(world.state.claimed).toBe(0)
    expect(world.state.status).toBe('running')
    expect(world.ask('a').status).toBe('not-claimable')
    world.atMs += 50
    expect(world.claim('a')).toMatchObject({ attempt: 1, lostLeases: 0, steps: [{ kind: 'sleep', position: 0 }] })
  })

  it('that is shorter than a lease is not woken later for that', () => {
    const world = new World()
    world.commit(world.claim('a'), slept(10))

    world.atMs += 10

    expect(world.due(true)).toEqual(['a'])
  })

  it('may have an instant', () => {
    const world = new World()

    world.commit(world.claim('a'), { type: 'slept', step: step(0), wakeAtMs: 9_000 })

    expect(world.machine.nextDueAtMs()).toBe(9_000)
  })
})

describe('a signal', () => {
  it('wakes whoever waits for it, and ends the pause', () => {
    const world = new World()
    world.commit(world.claim('a'), awaited('signal', 'paid'))
    expect(summaryOf(world.state)).toMatchObject({
      status: 'paused',
      pendingPause: { instanceId: 'a', signal: 'paid' },
    })

    expect(world.signal('other', 1)).toMatchObject({ status: 'accepted', ready: [] })
    expect(world.signal('paid', { euros: 7 })).toMatchObject({ ready: ['a'], run: { status: 'running' } })

    expect(world.claim('a').steps).toEqual([{ position: 0, kind: 'signal', name: 'paid', result: { euros: 7 } }])
  })

  it('that came early is kept, in order, and no pause is needed', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    world.signal('s', 1)
    world.signal('s', 2)

    const waits = ['a', 'b', 'c'].map((id) => world.commit(world.claim(id), awaited('signal', 's')))

    expect(waits.map((answer) => 'ready' in answer && answer.ready)).toEqual([['a'], ['b'], []])
    expect(world.claim('a').steps[0]?.result).toBe(1)
    expect(world.claim('b').steps[0]?.result).toBe(2)
    expect(world.statusOf('c')).toBe('awaiting')
  })

  it('with the same id twice is one signal', () => {
    const world = new World({ starts: ['a', 'b'] })
    world.signal('s', 1, 'id')

    expect(world.signal('s', 1, 'id').status).toBe('unchanged')

    for (const id of ['a', 'b']) world.commit(world.claim(id), awaited('signal', 's'))
    expect(['a', 'b'].map((id) => world.statusOf(id))).toEqual(['ready', 'awaiting'])
  })

  it('wakes one of two that wait, the one that waited first', () => {
    const world = new World({ starts: ['a', 'b'] })
    for (const id of ['b', 'a']) world.commit(world.claim(id), awaited('signal', 's'))

    expect(world.signal('s')).toMatchObject({ ready: ['b'] })
  })

  it('that does not come in time leaves a step that says so', () => {
    const world = new World()
    world.commit(world.claim('a'), awaited('signal', 's', 10))

    world.atMs += 10
    expect(world.due(true)).toEqual(['a'])

    expect(world.claim('a').steps).toEqual([{ position: 0, kind: 'signal', name: 's', timedOut: true }])
    expect(world.state.status).toBe('running')
    expect(world.types.slice(-2)).toEqual(['node-claimed', 'run-resumed'])
  })

  it('for an ended run is refused', () => {
    const world = new World()
    world.finish('a')

    expect(world.signal('s').status).toBe('ended')
  })
})

describe('a pause', () => {
  it('begins when everything alive waits for the outside, and not before', () => {
    const world = new World({ starts: ['a', 'b'] })

    world.commit(world.claim('a'), awaited('signal', 's'))
    expect(world.state.status).toBe('running')
    world.finish('b', { arrivals: [to('j', 'b', { of: 2 })] })

    // The join waits as well, but only for `a`.
    expect(world.state.status).toBe('paused')
    expect(world.types.filter((type) => type === 'run-paused')).toHaveLength(1)
  })
})

describe('an approval', () => {
  it('is decided by the first decision, and the second is told which that was', () => {
    const world = new World()
    world.commit(world.claim('a'), awaited('approval', 'a:ok'))
    expect(summaryOf(world.state)).toMatchObject({
      status: 'paused',
      pendingApproval: { approvalId: 'a:ok', instanceId: 'a', requestedAtMs: 1_000 },
    })

    expect(world.decide('a:ok', true)).toMatchObject({ status: 'accepted', ready: ['a'] })
    expect(world.decide('a:ok', true, 'bob').status).toBe('unchanged')
    expect(world.decide('a:ok', false)).toEqual({ status: 'conflict', decision: { approved: true, by: 'ann' } })

    expect(world.claim('a').steps[0]).toMatchObject({ kind: 'approval', result: { approved: true, by: 'ann' } })
    expect(summaryOf(world.state)).not.toHaveProperty('pendingApproval')
  })

  it('that nobody waits for is not known', () => {
    const world = new World()
    world.commit(world.claim('a'), awaited('signal', 'a:ok'))

    expect(world.decide('a:ok', true)).toEqual({ status: 'unknown-approval' })
  })
})

describe('a step', () => {
  it('is recorded while the claim goes on, with its deltas', () => {
    const world = new World()
    const claim = world.claim('a')
    const deltas = [{ op: 'set' as const, key: 'x', value: 1 }]

    expect(world.commit(claim, { type: 'stepped', step: step(0), deltas })).toMatchObject({
      status: 'committed',
      ready: [],
    })

    expect(world.statusOf('a')).toBe('claimed')
    expect(world.state.context.get('x')).toEqual({ value: 1, version: 1 })
    world.atMs += LEASE_MS
    expect(world.claim('a').steps).toEqual([step(0)])
  })

  it('is recorded once, whichever of several side by side is asked again (P2)', () => {
    const world = new World({ context: { n: 0 } })
    const claim = world.claim('a')
    const stepped = (position: number): Outcome => ({
      type: 'stepped',
      step: step(position),
      deltas: [{ op: 'increment', key: 'n', by: 1 }],
    })
    world.commit(claim, stepped(1), { commitId: 'second' })
    world.commit(claim, stepped(0), { commitId: 'first' })
    const before = world.events.length

    expect(world.commit(claim, stepped(1), { commitId: 'second' }).status).toBe('already-committed')
    expect(world.commit(claim, stepped(0), { commitId: 'first' }).status).toBe('already-committed')

    expect(world.events).toHaveLength(before)
    expect(world.state.context.get('n')?.value).toBe(2)
    expect(world.commit(claim, stepped(2)).status).toBe('committed')
    expect(world.commit(claim, done).status).toBe('committed')
  })

  it('of a stale claim is refused', () => {
    const world = new World()
    const old = world.claim('a')
    world.atMs += LEASE_MS
    world.claim('a')

    expect(world.commit(old, { type: 'stepped', step: step(0) })).toEqual({ status: 'fenced' })
    expect(world.state.instances.get('a')?.steps).toBeUndefined()
  })
})

describe('a map', () => {
  const expand = (world: World, count: number, options: { concurrency?: number; maxFailures?: number } = {}) =>
    world.commit(world.claim('a'), {
      type: 'expanded',
      items: Array.from({ length: count }, (_, index) => index * 10),
      concurrency: 2,
      maxFailures: 0,
      ...options,
    })
  const arrival = (index: number, fate: 'succeeded' | 'failed'): Arrival[] => [
    { to: 'a', edge: `[${index}]`, from: `a[${index}]`, fate, rule: 'map', of: 0 },
  ]
  const end = (world: World, index: number, fate: 'succeeded' | 'failed' = 'succeeded') => {
    const claim = world.claim(`a[${index}]`)
    const takenBy = { always: true, ifStarted: [] }
    return fate === 'succeeded'
      ? world.commit(claim, { type: 'succeeded', output: index, arrivals: arrival(index, fate) })
      : world.commit(claim, { type: 'failed', error, takenBy, arrivals: arrival(index, fate) })
  }

  it('opens as many items as may run, and the next as each one settles', () => {
    const world = new World()

    expect(expand(world, 4)).toMatchObject({ ready: ['a[0]', 'a[1]'] })
    expect(world.claim('a[1]').item).toBe(10)
    expect(end(world, 0)).toMatchObject({ ready: ['a[2]'] })
    expect(world.statusOf('a[3]')).toBeUndefined()
    expect(world.ask('a').status).toBe('not-claimable')
  })

  it('comes back when all have settled, with their fates and what had reached it', () => {
    const world = new World({ starts: ['x'] })
    world.finish('x', { output: [0, 10, 20], arrivals: [to('a', 'x')] })
    expand(world, 3, { maxFailures: 1 })

    end(world, 1)
    end(world, 0, 'failed')
    expect(end(world, 2)).toMatchObject({ ready: ['a'] })

    expect(world.claim('a')).toMatchObject({
      map: { count: 3, maxFailures: 1 },
      arrivals: [
        { edge: 'x->a', from: 'x' },
        { from: 'a[1]', fate: 'succeeded', output: 1 },
        { from: 'a[0]', fate: 'failed', error },
        { from: 'a[2]', fate: 'succeeded', output: 2 },
      ],
    })
  })

  it('comes back with the failure that is one too many; its claim ends what still runs', () => {
    const world = new World()
    expand(world, 5)
    const held = world.claim('a[0]')

    expect(end(world, 1, 'failed')).toMatchObject({ ready: ['a'] })
    const answer = world.commit(world.claim('a'), failed)

    expect(answer).toMatchObject({ run: { stopping: true, status: 'running' } })
    expect(world.renew(held).cancelled).toEqual(['a[0]'])
    world.commit(held, { type: 'cancelled', reason: 'told to' })
    expect(world.state.status).toBe('failed')
    expect(world.statusOf('a[2]')).toBeUndefined()
  })

  it('tries an item again on its own', () => {
    const world = new World()
    expand(world, 1)

    expect(world.commit(world.claim('a[0]'), { type: 'retried', error, delayMs: 0 })).toMatchObject({ ready: ['a[0]'] })

    expect(world.claim('a[0]')).toMatchObject({ attempt: 2, item: 0 })
  })

  it('lets a worker go on with an item inline', () => {
    const world = new World()
    const expanded: Outcome = { type: 'expanded', items: [1, 2], concurrency: 2, maxFailures: 0 }

    expect(world.commit(world.claim('a'), expanded, { next: candidates('a') })).toMatchObject({
      ready: ['a[1]'],
      claim: { instanceId: 'a[0]', item: 1 },
    })
  })
})

describe('reminders', () => {
  it('come after the first wait, then after twice as long each time, up to a bound', () => {
    const world = new World()
    const times = { redispatchMs: 10, redispatchMaxMs: 35 }
    expect(world.due(true)).toEqual([])
    world.atMs += REDISPATCH_MS

    const waits: number[] = []
    for (let time = 0; time < 4; time++) {
      expect(world.due(true)).toEqual(['a'])
      world.machine.redispatch(['a', 'nobody'], times, world.atMs)
      const sentAtMs = world.atMs
      while (world.due(true).length === 0) world.atMs += 1
      waits.push(world.atMs - sentAtMs)
    }

    expect(waits).toEqual([10, 20, 35, 35])
    expect(world.machine.due(world.atMs, { unsentOnly: false })).toMatchObject([{ dispatch: 4, dueAtMs: 1_000 }])
  })

  it('begin anew with a claim', () => {
    const world = new World()
    world.machine.redispatch(['a'], { redispatchMs: 10, redispatchMaxMs: 100 }, world.atMs)

    world.claim('a')
    world.atMs += LEASE_MS

    expect(world.machine.due(world.atMs, { unsentOnly: true })).toMatchObject([{ instanceId: 'a', dispatch: 0 }])
  })

  it('are for the oldest first', () => {
    const world = new World({ starts: ['a', 'b', 'c'] })
    world.commit(world.claim('a'), slept(30))
    world.commit(world.claim('b'), slept(20))

    world.atMs += 50

    expect(world.due()).toEqual(['c', 'b', 'a'])
  })
})

describe('the journal', () => {
  it('gives the state again when it is folded, leases apart (P6)', () => {
    const world = new World({ starts: ['a', 'b'], context: { n: 1 } })
    world.commit(world.claim('a'), awaited('approval', 'a:ok', 500))
    world.decide('a:ok', true)
    world.finish('a', {
      output: 1,
      deltas: [{ op: 'increment', key: 'n', by: 2 }],
      arrivals: [to('j', 'a', { of: 2 })],
    })
    world.claim('b')
    world.atMs += LEASE_MS
    world.commit(world.claim('b'), { type: 'retried', error, delayMs: 70 })

    const folded = foldJournal(world.events)

    expect(world.events.map(({ seq }) => seq)).toEqual(world.events.map((_, index) => index + 1))
    expect(folded && recordOf(folded)).toEqual(recordOf(world.state))
    expect(recordOf(world.state).context).toEqual({ n: 3 })
  })
})

describe('a run that is about to go on as new', () => {
  const failed: Outcome = {
    type: 'failed',
    error: { name: 'Error', message: 'broken' },
    arrivals: [],
    takenBy: { always: false, ifStarted: [] },
  }
  const continueAs: NewRun = { runId: parseRunId('run@2'), kind: 'workflow', flowId: 'flow', starts: ['a'] }

  it('lets the other branches finish where a failure has decided before, and they may', () => {
    const world = new World({ starts: ['a', 'b', 'c'], failFast: false })
    world.commit(world.claim('a'), failed)
    world.finish('b', { continueAs })
    expect(world.state.stopping).toBe(false)
    world.finish('c')
    expect(world.state.status).toBe('failed')
    expect(world.state.continuedBy).toBeUndefined()
    expect(foldJournal(world.events)?.status).toBe('failed')
  })

  it('keeps no dead letter of what it has called off: a redrive would look for it in the next run', () => {
    const world = new World({ starts: ['a', 'b'] })
    const other = world.claim('b')
    world.finish('a', { continueAs })
    world.commit(other, failed)
    expect(world.state.status).toBe('completed')
    expect(world.state.deadLetters).toBeUndefined()
  })
})
