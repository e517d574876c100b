import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../model/event.ts'
import { foldJournal } from '../model/fold.ts'
import type { Gate } from '../model/gate.ts'
import { parseRunId, type RunId } from '../model/ids.ts'
import { newLimiter } from '../model/limiter.ts'
import type { RunMessage } from '../model/message.ts'
import type { NewRun, RunStatus } from '../model/run.ts'
import { recordOf } from '../model/run-record.ts'
import { summaryOf } from '../model/run-state.ts'
import type { NoticeResult } from '../ports/notice.ts'
import type { MachineOptions } from './machine-options.ts'
import { RunMachine } from './run-machine.ts'

const LIMITER = parseRunId('baton:limit:flow:runs')
const gate: Gate = { limiter: LIMITER, flowId: 'flow', most: 2 }
const id = parseRunId

/** A machine with its journal, told the time with each call. */
class Kept {
  readonly events: RunEvent[] = []
  readonly machine: RunMachine
  atMs = 0

  constructor(run: NewRun, options: Partial<MachineOptions> = {}) {
    this.machine = RunMachine.create(run, 0, {
      redispatchMs: 100,
      ...options,
      onEvent: (event) => this.events.push(structuredClone(event)),
    })
  }

  notify(notice: Parameters<RunMachine['notify']>[0]): NoticeResult {
    return this.machine.notify(notice, this.atMs)
  }

  get status(): RunStatus {
    return this.machine.state.status
  }

  get outbox(): RunMessage[] {
    return [...(this.machine.state.outbox?.values() ?? [])].map(({ message }) => message)
  }

  /** What is in the machine is what its journal says. */
  checkFold(): void {
    const folded = foldJournal(this.events)
    expect(folded && recordOf(folded)).toEqual(recordOf(this.machine.state))
  }
}

class Limiter extends Kept {
  constructor(options: Partial<MachineOptions> = {}) {
    super(newLimiter(gate), options)
  }

  ask(from: string, more: Partial<Gate> & { readonly priority?: number } = {}): string[] {
    const { priority = 0, ...limit } = more
    const { runId } = this.machine.state.head
    return granted(this.notify({ type: 'slot-request', runId, from: id(from), gate: { ...gate, ...limit }, priority }))
  }

  release(from: string): string[] {
    return granted(this.notify({ type: 'slot-release', runId: this.machine.state.head.runId, from: id(from) }))
  }

  tick(): NoticeResult {
    return this.notify({ type: 'slots-due', runId: this.machine.state.head.runId })
  }

  get view() {
    const { held = [], waiting = [] } = recordOf(this.machine.state).limiter ?? {}
    return { held, waiting: waiting.map(({ runId }) => runId as string) }
  }
}

function granted(result: NoticeResult): string[] {
  if (result.status !== 'accepted') return []
  return (result.sent ?? []).flatMap(({ to, body }) => (body.type === 'slot-grant' ? [to as string] : []))
}

describe('a limiter', () => {
  it('lets in as many as the limit says, and the next in line for each that has ended', () => {
    const limiter = new Limiter()

    expect(['a', 'b', 'c', 'd'].map((run) => limiter.ask(run))).toEqual([['a'], ['b'], [], []])
    expect(limiter.view).toEqual({ held: ['a', 'b'], waiting: ['c', 'd'] })

    expect(limiter.release('b')).toEqual(['c'])
    expect(limiter.release('a')).toEqual(['d'])
    expect(limiter.view).toEqual({ held: ['c', 'd'], waiting: [] })
    limiter.checkFold()
  })

  it('lets in the highest priority first, and of one priority who came first', () => {
    const limiter = new Limiter()
    limiter.ask('holder', { most: 1 })

    limiter.ask('first', { most: 1 })
    limiter.ask('urgent', { most: 1, priority: 5 })
    limiter.ask('second', { most: 1 })
    limiter.ask('urgent-too', { most: 1, priority: 5 })
    limiter.ask('whenever', { most: 1, priority: -5 })

    const order = ['urgent', 'urgent-too', 'first', 'second', 'whenever']
    expect(limiter.view.waiting).toEqual(order)
    let holder = 'holder'
    for (const next of order) {
      expect(limiter.release(holder)).toEqual([next])
      holder = next
    }
  })

  it('forgets who waits and has ended', () => {
    const limiter = new Limiter()
    for (const run of ['a', 'b', 'c', 'd']) limiter.ask(run)

    expect(limiter.release('c')).toEqual([])
    expect(limiter.release('a')).toEqual(['d'])
  })

  it('takes what it is told twice for once, and writes nothing for it', () => {
    const limiter = new Limiter()
    for (const run of ['a', 'b', 'c']) limiter.ask(run)
    const before = limiter.events.length

    expect(limiter.ask('a')).toEqual([])
    expect(limiter.ask('c')).toEqual([])
    expect(limiter.release('nobody')).toEqual([])
    expect(limiter.events).toHaveLength(before)

    expect(limiter.release('a')).toEqual(['c'])
    expect(limiter.release('a')).toEqual([])
    expect(limiter.view.held).toEqual(['b', 'c'])
  })

  it('says again to who asks late that it was let in, though the first time is only then noted as said', () => {
    const limiter = new Limiter()
    limiter.ask('a')
    const [first] = limiter.outbox.map(({ key }) => key)
    limiter.release('a')

    // The request was brought twice, the second time when its run had ended: only the grant brings the slot back.
    limiter.ask('a')
    limiter.machine.delivered([first ?? ''])

    expect(limiter.view.held).toEqual(['a'])
    expect(limiter.outbox.map(({ to }) => to)).toEqual(['a'])
  })

  it('goes by the limit of the newest request: a higher one lets in at once, a lower one waits for those who run', () => {
    const limiter = new Limiter()
    for (const run of ['a', 'b', 'c', 'd', 'e']) limiter.ask(run)

    expect(limiter.ask('f', { most: 4 })).toEqual(['c', 'd'])
    expect(limiter.ask('g', { most: 1 })).toEqual([])
    expect(['a', 'b', 'c'].map((run) => limiter.release(run))).toEqual([[], [], []])
    expect(limiter.release('d')).toEqual(['e'])
  })

  it('is not cancelled, and takes no signals', () => {
    const limiter = new Limiter()
    const { runId } = limiter.machine.state.head

    expect(limiter.notify({ type: 'cancel', runId, reason: 'why not' }).status).toBe('unchanged')
    expect(limiter.notify({ type: 'signal', runId, name: 'hello' }).status).toBe('unchanged')
    expect(limiter.ask('a')).toEqual(['a'])
    expect(limiter.status).toBe('running')
  })
})

describe('a limiter under a rate', () => {
  const rate = { most: 2, perMs: 1_000 }

  it('lets in no more than the limit in any stretch of the period, to the millisecond', () => {
    const limiter = new Limiter()
    expect(limiter.ask('a', rate)).toEqual(['a'])
    limiter.atMs = 400
    expect(limiter.ask('b', rate)).toEqual(['b'])
    for (const run of ['c', 'd', 'e', 'f']) expect(limiter.ask(run, rate)).toEqual([])

    limiter.atMs = 999
    expect(limiter.tick()).toMatchObject({ status: 'unchanged', againInMs: 1 })
    limiter.atMs = 1_000
    expect(granted(limiter.tick())).toEqual(['c'])
    limiter.atMs = 1_399
    expect(granted(limiter.tick())).toEqual([])
    limiter.atMs = 1_400
    expect(granted(limiter.tick())).toEqual(['d'])
    // Nobody has looked for long: then no more than the limit at once.
    limiter.atMs = 9_000
    expect(granted(limiter.tick())).toEqual(['e', 'f'])
    limiter.checkFold()
  })

  it('does so whatever comes when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.record({ afterMs: fc.nat(120), asks: fc.nat(2) }), { maxLength: 60 }),
        (most, turns) => {
          const limiter = new Limiter()
          const letInAtMs: number[] = []
          const note = (runs: readonly string[]) => letInAtMs.push(...runs.map(() => limiter.atMs))
          turns.forEach(({ afterMs, asks }, turn) => {
            limiter.atMs += afterMs
            for (let ask = 0; ask < asks; ask++) note(limiter.ask(`run-${turn}-${ask}`, { most, perMs: 100 }))
            note(granted(limiter.tick()))
          })
          letInAtMs.forEach((atMs, index) => {
            expect(atMs - (letInAtMs[index - most] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(100)
          })
          // Nor does anybody wait for longer than needed.
          const next = limiter.machine.due(limiter.atMs).filter(({ type }) => type === 'slots')
          expect(next).toEqual([])
        },
      ),
    )
  })

  it('is due when time alone lets the next one in, and not while nobody waits', () => {
    const limiter = new Limiter()
    const due = () => limiter.machine.due(limiter.atMs).filter(({ type }) => type === 'slots')
    limiter.ask('a', { ...rate, most: 1 })
    expect(limiter.machine.nextDueAtMs()).toBe(0) // its grant, which nobody has brought
    limiter.machine.delivered(limiter.outbox.map(({ key }) => key))
    limiter.atMs = 5_000
    expect(due()).toEqual([])

    limiter.atMs = 0
    limiter.ask('b', { ...rate, most: 1 })
    expect(limiter.machine.nextDueAtMs()).toBe(1_000)
    expect(due()).toEqual([])
    limiter.atMs = 1_000
    expect(due()).toEqual([{ type: 'slots', runId: LIMITER, dueAtMs: 1_000 }])
    expect(limiter.machine.due(limiter.atMs, { unsentOnly: true, flows: [] })).toEqual([])
  })

  it('spends nothing on who has ended while it waited', () => {
    const limiter = new Limiter()
    for (const run of ['a', 'b', 'c']) limiter.ask(run, { ...rate, most: 1 })

    limiter.release('b')
    limiter.atMs = 1_000
    expect(granted(limiter.tick())).toEqual(['c'])
  })

  it('lets the next one in with whatever news comes when it is time', () => {
    const limiter = new Limiter()
    for (const run of ['a', 'b']) limiter.ask(run, { ...rate, most: 1 })

    limiter.atMs = 1_000
    expect(limiter.ask('c', { ...rate, most: 1 })).toEqual(['b'])
  })
})

describe('a limiter that has taken much news', () => {
  it('goes on in a run that knows what it knew, and says where', () => {
    const limiter = new Limiter({ limiterNews: 5 })
    for (const run of ['a', 'b', 'c', 'd']) limiter.ask(run)
    // Five, but moving costs what is known: it waits until that is worth it.
    limiter.release('a')
    expect(limiter.view.waiting).toEqual(['d'])
    for (let round = 0; round < 10; round++) {
      limiter.ask('e')
      limiter.release('e')
    }

    expect(limiter.ask('f')).toEqual([])
    const next = parseRunId(`${LIMITER}:2`)
    const runId = LIMITER
    const request = { type: 'slot-request', runId, from: id('g'), gate, priority: 0 } as const
    expect(limiter.notify(request)).toEqual({ status: 'moved', to: next })
    expect(limiter.notify({ type: 'slot-release', runId, from: id('b') })).toEqual({ status: 'moved', to: next })
    expect(limiter.status).toBe('running')
    limiter.checkFold()

    const start = limiter.outbox.find(({ body }) => body.type === 'start')?.body
    const heir = new Kept((start as { readonly run: NewRun }).run)
    expect(recordOf(heir.machine.state).limiter).toMatchObject({ most: 2, held: ['b', 'c'] })
    expect(granted(heir.notify({ type: 'slot-release', runId: next, from: id('b') }))).toEqual(['d'])
    heir.checkFold()
  })

  it('ends when it is not the first, which hears where the limiter is; the first stays', () => {
    const first = new Limiter({ limiterNews: 1 })
    first.release('nobody')
    first.ask('a', { most: 1 })
    for (let round = 0; round < 4; round++) {
      first.ask('b', { most: 1 })
      first.release('b')
    }
    const start = first.outbox.find(({ body }) => body.type === 'start')?.body as { readonly run: NewRun }
    const second = new Kept(start.run, { limiterNews: 1 })
    const runId: RunId = start.run.runId
    for (let round = 0; round < 8 && second.status === 'running'; round++) {
      second.notify({ type: 'slot-request', runId, from: id(`c${round % 2}`), gate, priority: 0 })
      second.notify({ type: 'slot-release', runId, from: id(`c${round % 2}`) })
    }

    expect(second.status).toBe('completed')
    second.checkFold()
    const told = second.outbox.find(({ to }) => to === LIMITER)
    expect(told?.body).toEqual({ type: 'limiter-move', generation: 3 })
    const generation = 3
    expect(first.notify({ type: 'limiter-move', runId: LIMITER, generation }).status).toBe('accepted')
    expect(first.notify({ type: 'limiter-move', runId: LIMITER, generation }).status).toBe('unchanged')
    expect(first.notify({ type: 'limiter-move', runId: LIMITER, generation: 2 }).status).toBe('unchanged')
    expect(first.tick()).toEqual({ status: 'moved', to: `${LIMITER}:3` })
    first.checkFold()
  })
})

describe('a run that has to pass gates', () => {
  const other: Gate = { limiter: parseRunId('baton:limit:flow:rate'), flowId: 'flow', most: 1, perMs: 1_000 }
  const limited = (more: Partial<NewRun> = {}): NewRun => {
    return { runId: id('run'), kind: 'workflow', flowId: 'flow', starts: ['a', 'b'], gates: [gate], ...more }
  }
  const grant = (run: Kept, { limiter } = gate) =>
    run.notify({ type: 'slot-grant', runId: run.machine.state.head.runId, limiter })
  const claim = (run: Kept, instanceId: string) =>
    run.machine.claim({ runId: id('run'), instanceId, claimId: instanceId, workerId: 'w', leaseMs: 50 }, run.atMs)

  it('asks when it is created, and begins when it was let in', () => {
    const run = new Kept(limited({ priority: 3 }))

    expect(run.outbox).toEqual([
      { key: `slot-request:${LIMITER}`, to: LIMITER, body: { type: 'slot-request', gate, priority: 3 } },
    ])
    expect(claim(run, 'a').status).toBe('not-claimable')
    expect(summaryOf(run.machine.state)).toMatchObject({ status: 'pending', pendingSlot: { ...gate, sinceMs: 0 } })
    expect(run.machine.due(1_000).map(({ type }) => type)).toEqual(['message'])

    expect(grant(run)).toMatchObject({ status: 'accepted', ready: ['a', 'b'] })
    expect(grant(run)).toMatchObject({ status: 'unchanged' })
    expect(summaryOf(run.machine.state).pendingSlot).toBeUndefined()
    expect(claim(run, 'a').status).toBe('claimed')
    run.checkFold()
  })

  it('passes one gate after the other, and no gate but the one that it waits at', () => {
    const run = new Kept(limited({ gates: [gate, other] }))

    expect(grant(run, other).status).toBe('unchanged')
    expect(grant(run)).toMatchObject({ ready: [], sent: [{ to: other.limiter }] })
    expect(summaryOf(run.machine.state).pendingSlot).toMatchObject(other)
    expect(grant(run, other)).toMatchObject({ ready: ['a', 'b'] })
  })

  it('asks only when its time has come', () => {
    const run = new Kept(limited({ startAtMs: 500 }))

    expect(run.machine.due(499)).toEqual([])
    expect(run.machine.nextDueAtMs()).toBe(500)
    expect(run.machine.due(500, { unsentOnly: true })).toMatchObject([{ type: 'message', dueAtMs: 500 }])
  })

  it('gives its slot back when it has completed', () => {
    const run = new Kept(limited())
    grant(run)
    for (const instanceId of ['a', 'b']) {
      expect(run.outbox).toEqual([])
      const claimed = claim(run, instanceId)
      const { fence } = (claimed as Extract<typeof claimed, { status: 'claimed' }>).claim
      const outcome = { type: 'succeeded', arrivals: [] } as const
      run.machine.commit({ runId: id('run'), instanceId, fence, commitId: instanceId, outcome }, 1)
    }

    expect(run.status).toBe('completed')
    expect(run.outbox.map(({ body }) => body.type)).toEqual(['slot-release'])
    run.checkFold()
  })

  it('takes its request back when it is cancelled, and leaves the line in case somebody has brought it', () => {
    const run = new Kept(limited())

    run.notify({ type: 'cancel', runId: id('run'), reason: 'no more' })

    expect(run.status).toBe('cancelled')
    expect(run.outbox.map(({ body }) => body.type)).toEqual(['slot-release'])
    run.checkFold()
  })

  it('says nothing at all when it ends before its time', () => {
    const run = new Kept(limited({ startAtMs: 500 }))

    run.notify({ type: 'cancel', runId: id('run'), reason: 'not needed' })
    expect(run.status).toBe('cancelled')
    expect(run.machine.isDone).toBe(true)
  })

  it('gives back nothing for a rate that has let it in, but leaves the line where it waits', () => {
    const passed = new Kept(limited({ gates: [other] }))
    grant(passed, other)
    passed.machine.delivered([`slot-request:${other.limiter}`])
    passed.notify({ type: 'cancel', runId: id('run'), reason: 'no more' })
    expect(passed.outbox).toEqual([])

    const waiting = new Kept(limited({ gates: [other] }))
    waiting.machine.delivered([`slot-request:${other.limiter}`])
    waiting.notify({ type: 'cancel', runId: id('run'), reason: 'no more' })
    expect(waiting.outbox).toMatchObject([{ to: other.limiter, body: { type: 'slot-release' } }])
  })

  it('fails by its deadline while it waits', () => {
    const run = new Kept(limited({ deadlineMs: 100 }))
    run.atMs = 100

    expect(run.machine.due(100).map(({ type }) => type)).toContain('deadline')
    expect(run.notify({ type: 'deadline', runId: id('run') })).toMatchObject({ status: 'accepted' })
    expect(run.status).toBe('failed')
    expect(run.outbox.map(({ body }) => body.type)).toContain('slot-release')
  })
})
