import { type Gate, parseRunId, type RunId } from '@baton/core'
import { type DueItem, type NoticeResult, newLimiter } from '@baton/core/adapter'
import { expect } from 'vitest'
import { newRun, RUN } from '../hand.ts'
import { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

const LIMITER = parseRunId('baton:limit:flow:runs')
const RATE = parseRunId('baton:limit:flow:rate')
const gate: Gate = { limiter: LIMITER, flowId: 'flow', most: 2 }
const rateGate: Gate = { limiter: RATE, flowId: 'flow', most: 1, perMs: 1_000 }
const REQUEST = { to: LIMITER, body: { type: 'slot-request', gate, priority: 0 } }
const RELEASE = { to: LIMITER, body: { type: 'slot-release' } }

const messagesOf = (items: readonly DueItem[]) =>
  items.flatMap((item) => (item.type === 'message' ? [item.message] : []))
const outbox = async ({ store }: Stage, runId: RunId = RUN) => messagesOf(await store.due({ limit: 100, runId }))

const grant = (stage: Stage, { limiter } = gate) => stage.hand().notify({ type: 'slot-grant', limiter })

/** What a limiter is told, at the run that it is. */
class Limiter {
  readonly #stage: Stage
  readonly #gate: Gate

  constructor(stage: Stage, at: Gate = gate) {
    this.#stage = stage
    this.#gate = at
  }

  static async create(stage: Stage, at: Gate = gate): Promise<Limiter> {
    expect(await stage.store.create(newLimiter(at))).toEqual({ status: 'created' })
    return new Limiter(stage, at)
  }

  ask(from: string, { priority = 0, most = this.#gate.most } = {}): Promise<NoticeResult> {
    const asked = { ...this.#gate, most }
    return this.#notify({ type: 'slot-request', from: parseRunId(from), gate: asked, priority })
  }

  release(from: string): Promise<NoticeResult> {
    return this.#notify({ type: 'slot-release', from: parseRunId(from) })
  }

  look(): Promise<NoticeResult> {
    return this.#notify({ type: 'slots-due' })
  }

  async view() {
    const { limiter } = await this.#stage.hand().load(this.#gate.limiter)
    return { held: limiter?.held, waiting: limiter?.waiting.map(({ runId }) => runId) }
  }

  #notify(notice: Parameters<ReturnType<Stage['hand']>['notify']>[0]): Promise<NoticeResult> {
    return this.#stage.hand().notify(notice, this.#gate.limiter)
  }
}

/** Whom an answer lets in. */
function letIn(result: NoticeResult): string[] {
  if (result.status !== 'accepted') return []
  return (result.sent ?? []).flatMap(({ to, body }) => (body.type === 'slot-grant' ? [to as string] : []))
}

export const limiting: Suite = {
  name: 'limits',
  cases: [
    {
      title: 'lets a run begin when it has passed its gates, one after the other, and not before',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ gates: [gate, rateGate], starts: ['a', 'b'] })

        expect((await hand.tryClaim('a')).status).toBe('not-claimable')
        expect(await stage.store.due({ limit: 10 })).toMatchObject([{ type: 'message', message: REQUEST }])
        expect(await hand.load()).toMatchObject({ status: 'pending', pendingSlot: gate })

        expect((await grant(stage, rateGate)).status).toBe('unchanged')
        expect(await grant(stage)).toMatchObject({ status: 'accepted', ready: [], sent: [{ to: RATE }] })
        expect((await grant(stage)).status).toBe('unchanged')
        expect(await hand.load()).toMatchObject({ pendingSlot: rateGate })
        expect(messagesOf(await stage.store.due({ limit: 10 }))).toMatchObject([{ to: RATE }])

        expect(await grant(stage, rateGate)).toMatchObject({ status: 'accepted', ready: ['a', 'b'] })
        expect((await grant(stage, rateGate)).status).toBe('unchanged')
        expect((await hand.load()).pendingSlot).toBeUndefined()
        await hand.claim('a')
        expect((await hand.load()).status).toBe('running')
      },
    },
    {
      title: 'has a run ask when its time has come, and not before',
      async run(stage) {
        await stage.hand().create({ gates: [gate], startAtMs: stage.clock.now() + stage.ticks(20) })
        expect(await outbox(stage)).toEqual([])
        await stage.pass(stage.ticks(25))
        expect(messagesOf(await stage.store.due({ limit: 10, unsentOnly: true }))).toMatchObject([REQUEST])
      },
    },
    {
      title: 'gives the slot back in the commit that ends the run, and not before',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ gates: [gate], starts: ['a', 'b'] })
        await grant(stage)
        expect(await hand.run('a')).not.toHaveProperty('sent')
        expect(await hand.run('b', { resultOf: 'b' })).toMatchObject({ sent: [RELEASE] })
        const other = await stage.world.reopen()
        expect(messagesOf(await other.store.due({ limit: 10 }))).toMatchObject([RELEASE])
      },
    },
    {
      title: 'has a run that is cancelled in the line leave it, and take back its request',
      async run(stage) {
        await stage.hand().create({ gates: [gate] })
        expect(await stage.hand().cancel()).toMatchObject({ status: 'accepted', sent: [RELEASE] })
        expect(await outbox(stage)).toMatchObject([RELEASE])
        expect((await grant(stage)).status).toBe('ended')
      },
    },
    {
      title: 'gives back nothing for a rate that has let the run in',
      async run(stage) {
        await stage.hand().create({ gates: [rateGate] })
        await grant(stage, rateGate)
        await stage.hand().cancel()
        expect(await outbox(stage)).toEqual([])
      },
    },
    {
      title: 'grants slots while there is room, by priority, and of one priority in the order of asking',
      async run(stage) {
        const limiter = await Limiter.create(stage)
        const other = new Limiter(new Stage(stage.subject, await stage.world.reopen()))
        expect(letIn(await limiter.ask('a'))).toEqual(['a'])
        expect(letIn(await other.ask('b'))).toEqual(['b'])
        expect(letIn(await limiter.ask('first'))).toEqual([])
        await limiter.ask('second')
        await limiter.ask('urgent', { priority: 1 })
        expect(await limiter.view()).toEqual({ held: ['a', 'b'], waiting: ['urgent', 'first', 'second'] })

        expect(letIn(await limiter.release('a'))).toEqual(['urgent'])
        expect(letIn(await limiter.release('second'))).toEqual([])
        expect(letIn(await limiter.release('b'))).toEqual(['first'])
        expect(await limiter.view()).toEqual({ held: ['urgent', 'first'], waiting: [] })
        expect(messagesOf(await stage.store.due({ limit: 10 })).map(({ to }) => to)).toEqual([
          'a',
          'b',
          'urgent',
          'first',
        ])
      },
    },
    {
      title: 'changes nothing at a limiter for what it was told before, or what is no news for it',
      async run(stage) {
        const hand = stage.hand()
        const limiter = await Limiter.create(stage)
        for (const run of ['a', 'b', 'c']) await limiter.ask(run)
        const before = await hand.everything(LIMITER)

        for (const run of ['a', 'c']) expect((await limiter.ask(run)).status).toBe('unchanged')
        expect((await limiter.release('nobody')).status).toBe('unchanged')
        expect((await limiter.look()).status).toBe('unchanged')
        expect((await hand.cancel('no more', LIMITER)).status).toBe('unchanged')
        expect((await hand.notify({ type: 'signal', name: 'hello' }, LIMITER)).status).toBe('unchanged')
        expect(await stage.store.create(newLimiter(gate))).toEqual({ status: 'exists', same: true })
        expect(await hand.everything(LIMITER)).toEqual(before)
      },
    },
    {
      title: 'goes by the limit of the newest request',
      async run(stage) {
        const limiter = await Limiter.create(stage)
        for (const run of ['a', 'b', 'c', 'd', 'e']) await limiter.ask(run)
        expect(letIn(await limiter.ask('f', { most: 4 }))).toEqual(['c', 'd'])
        await limiter.ask('g', { most: 1 })
        for (const run of ['a', 'b', 'c']) expect(letIn(await limiter.release(run))).toEqual([])
        expect(letIn(await limiter.release('d'))).toEqual(['e'])
      },
    },
    {
      title: 'lets in under a rate what time has made room for, names it as due then, and says how long that is',
      async run(stage) {
        const perMs = stage.ticks(20)
        const limiter = await Limiter.create(stage, { ...rateGate, perMs })
        expect(letIn(await limiter.ask('a'))).toEqual(['a'])
        const waiting = await limiter.ask('b')
        expect(letIn(waiting)).toEqual([])
        const { againInMs = 0 } = waiting as { readonly againInMs?: number }
        expect(againInMs).toBeGreaterThan(0)
        expect(againInMs).toBeLessThanOrEqual(perMs)
        const due = async () => (await stage.store.due({ limit: 10 })).filter(({ type }) => type === 'slots')
        expect(await due()).toEqual([])
        expect(letIn(await limiter.look())).toEqual([])

        await stage.pass(perMs)
        expect(await due()).toMatchObject([{ type: 'slots', runId: RATE }])
        expect(letIn(await limiter.look())).toEqual(['b'])
        expect(await due()).toEqual([])
      },
    },
    {
      title: 'moves a limiter that has taken much news to a new run that knows what it knew',
      async run(stage) {
        const limiter = await Limiter.create(stage)
        for (const run of ['a', 'b', 'c']) await limiter.ask(run)
        let moved: NoticeResult = await limiter.ask('d')
        for (let round = 0; round < 1_100 && moved.status !== 'moved'; round++) {
          await limiter.ask('e')
          moved = await limiter.release('e')
        }

        const to = parseRunId(`${LIMITER}:2`)
        expect(moved).toEqual({ status: 'moved', to })
        expect((await stage.hand().load(LIMITER)).status).toBe('running')
        const start = (await outbox(stage, LIMITER)).find(({ body }) => body.type === 'start')?.body
        if (start?.type !== 'start') throw new Error('it does not say with what it goes on')
        expect(await stage.store.create(start.run)).toEqual({ status: 'created' })
        const next = new Limiter(stage, { ...gate, limiter: to })
        expect(await next.view()).toEqual({ held: ['a', 'b'], waiting: ['c', 'd'] })
        expect(letIn(await next.release('a'))).toEqual(['c'])

        expect((await stage.hand().notify({ type: 'limiter-move', generation: 3 }, LIMITER)).status).toBe('accepted')
        expect(await limiter.look()).toEqual({ status: 'moved', to: `${LIMITER}:3` })
      },
    },
    {
      title: 'takes news for a limiter at another run for nothing',
      async run(stage) {
        const hand = stage.hand()
        await hand.create(newRun())
        const before = await hand.everything()
        expect((await hand.notify({ type: 'slot-request', from: RUN, gate, priority: 0 })).status).toBe('unchanged')
        expect((await hand.notify({ type: 'slot-release', from: RUN })).status).toBe('unchanged')
        expect((await grant(stage)).status).toBe('unchanged')
        expect(await hand.everything()).toEqual(before)
      },
    },
  ],
}
