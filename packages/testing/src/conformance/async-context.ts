import type { Delta, JsonValue } from '@baton/core'
import { JsonSerializer } from '@baton/core'
import { type Claim, ReadOnlyContext } from '@baton/core/adapter'
import { expect } from 'vitest'
import { type Hand, RUN, succeeded } from './hand.ts'
import type { Stage } from './stage.ts'
import type { Case, Suite } from './suite.ts'

const entries = async (stage: Stage, ...keys: string[]) => Object.fromEntries(await stage.store.context(RUN).read(keys))

/** Commits deltas as a step, so that the run goes on. */
async function write(hand: Hand, claim: Claim, deltas: readonly Delta[], position = 0) {
  return hand.commit(claim, { type: 'stepped', step: { position, kind: 'step', name: 's' }, deltas })
}

interface Change {
  readonly what: string
  readonly before: JsonValue | undefined
  readonly delta: Delta
  readonly after: JsonValue | undefined
}

const CHANGES: readonly Change[] = [
  { what: 'sets a key', before: undefined, delta: { op: 'set', key: 'k', value: { a: 1 } }, after: { a: 1 } },
  {
    what: 'sets a member and makes what is missing on the way',
    before: { a: 1 },
    delta: { op: 'set', key: 'k', path: ['b', 'c'], value: 2 },
    after: { a: 1, b: { c: 2 } },
  },
  {
    what: 'sets an item',
    before: { list: [1, 2] },
    delta: { op: 'set', key: 'k', path: ['list', '1'], value: 'x' },
    after: { list: [1, 'x'] },
  },
  {
    what: 'sets one item past the end',
    before: [1],
    delta: { op: 'set', key: 'k', path: ['1'], value: 2 },
    after: [1, 2],
  },
  { what: 'deletes a key', before: 1, delta: { op: 'delete', key: 'k' }, after: undefined },
  { what: 'deletes a member', before: { a: 1, b: 2 }, delta: { op: 'delete', key: 'k', path: ['a'] }, after: { b: 2 } },
  {
    what: 'deletes an item and keeps its place',
    before: [1, 2, 3],
    delta: { op: 'delete', key: 'k', path: ['1'] },
    after: [1, null, 3],
  },
  { what: 'increments what is not there', before: undefined, delta: { op: 'increment', key: 'k', by: 2 }, after: 2 },
  {
    what: 'increments a member',
    before: { n: 0.5 },
    delta: { op: 'increment', key: 'k', path: ['n'], by: -2 },
    after: { n: -1.5 },
  },
  {
    what: 'appends to what is not there',
    before: undefined,
    delta: { op: 'append', key: 'k', values: [1, [2]] },
    after: [1, [2]],
  },
  {
    what: 'appends to a member',
    before: { list: [1] },
    delta: { op: 'append', key: 'k', path: ['list'], values: [2] },
    after: { list: [1, 2] },
  },
  {
    what: 'merges members, not deep',
    before: { a: { x: 1 }, b: 1 },
    delta: { op: 'merge', key: 'k', value: { a: { y: 2 } } },
    after: { a: { y: 2 }, b: 1 },
  },
  { what: 'sets null, which is there', before: 1, delta: { op: 'set', key: 'k', value: null }, after: null },
]

const MISFITS: readonly {
  readonly what: string
  readonly before: JsonValue
  readonly delta: Delta
  readonly field: string
}[] = [
  { what: 'increments a text', before: 'x', delta: { op: 'increment', key: 'k', by: 1 }, field: 'context.k' },
  { what: 'appends to an object', before: {}, delta: { op: 'append', key: 'k', values: [] }, field: 'context.k' },
  { what: 'merges into a list', before: [], delta: { op: 'merge', key: 'k', value: {} }, field: 'context.k' },
  {
    what: 'leads into a text',
    before: { a: 'x' },
    delta: { op: 'set', key: 'k', path: ['a', 'b'], value: 1 },
    field: 'context.k.a',
  },
  {
    what: 'leaves a hole in a list',
    before: [1],
    delta: { op: 'set', key: 'k', path: ['5'], value: 1 },
    field: 'context.k',
  },
  {
    what: 'leads into a tagged value',
    before: { $baton: 'date', value: '2026-01-01T00:00:00.000Z' },
    delta: { op: 'set', key: 'k', path: ['value'], value: 1 },
    field: 'context.k',
  },
  {
    what: 'expects another version',
    before: 1,
    delta: { op: 'set', key: 'k', value: 2, ifVersion: 7 },
    field: 'context.k',
  },
]

const changes: Case[] = CHANGES.map(({ what, before, delta, after }) => ({
  title: `a delta ${what}`,
  async run(stage) {
    const hand = stage.hand()
    await hand.create(before === undefined ? {} : { context: { k: before, other: 1 } })
    const claim = await hand.claim('a')

    await hand.committed(claim, { type: 'stepped', step: { position: 0, kind: 'step', name: 's' }, deltas: [delta] })

    const { k } = await entries(stage, 'k')
    expect(k).toEqual(after === undefined ? undefined : { value: after, version: before === undefined ? 1 : 2 })
    expect((await hand.load()).context.k).toEqual(after)
  },
}))

const misfits: Case[] = MISFITS.map(({ what, before, delta, field }) => ({
  title: `a delta that ${what} is a conflict that names its field and changes nothing`,
  async run(stage) {
    const hand = stage.hand()
    await hand.create({ context: { k: before } })
    const claim = await hand.claim('a')
    const unchanged = await hand.everything()

    expect(await write(hand, claim, [{ op: 'set', key: 'other', value: 1 }, delta])).toMatchObject({
      status: 'conflict',
      field: expect.stringContaining(field),
    })
    expect(await hand.everything()).toEqual(unchanged)
  },
}))

export const asyncContext: Suite = {
  name: 'the context of a run',
  cases: [
    ...changes,
    ...misfits,
    {
      title: 'reads the keys that are asked for, and leaves out those that are absent',
      async run(stage) {
        await stage.hand().create({ context: { one: 1, two: [2], three: null } })

        expect(await entries(stage, 'two', 'three', 'four')).toEqual({
          two: { value: [2], version: 1 },
          three: { value: null, version: 1 },
        })
        expect(await entries(stage)).toEqual({})
        expect(Object.keys(Object.fromEntries(await stage.store.context(RUN).readAll())).sort()).toEqual([
          'one',
          'three',
          'two',
        ])
      },
    },
    {
      title: 'grows the version of a key by one with every commit that changes it, and of no other',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { a: 1, b: 1 } })
        const claim = await hand.claim('a')

        await write(hand, claim, [
          { op: 'increment', key: 'a', by: 1 },
          { op: 'increment', key: 'a', by: 1 },
        ])
        await write(
          hand,
          claim,
          [
            { op: 'set', key: 'a', value: 9, ifVersion: 2 },
            { op: 'set', key: 'c', value: 1, ifVersion: 0 },
          ],
          1,
        )

        expect(await entries(stage, 'a', 'b', 'c')).toEqual({
          a: { value: 9, version: 3 },
          b: { value: 1, version: 1 },
          c: { value: 1, version: 1 },
        })
      },
    },
    {
      title: 'lets one of two writers win who expect the same version',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'], context: { k: 0 } })
        const claims = [await hand.claim('a'), await hand.claim('b')]

        const results = await Promise.all(
          claims.map((claim) => write(hand, claim, [{ op: 'set', key: 'k', value: claim.instanceId, ifVersion: 1 }])),
        )

        expect(results.map(({ status }) => status).sort()).toEqual(['committed', 'conflict'])
      },
    },
    {
      title: 'loses no commutative change of branches that commit at the same time',
      async run(stage) {
        const hand = stage.hand()
        const starts = Array.from({ length: 25 }, (_, index) => `n${index}`)
        await hand.create({ starts })
        const claims = await Promise.all(starts.map((id) => hand.claim(id)))

        await Promise.all(
          claims.map((claim, index) =>
            hand.commit(
              claim,
              succeeded({
                deltas: [
                  { op: 'increment', key: 'state', path: ['count'], by: 1 },
                  { op: 'append', key: 'list', values: [index] },
                  { op: 'merge', key: 'state', path: ['by'], value: { [claim.instanceId]: index } },
                ],
              }),
            ),
          ),
        )

        const { context } = await hand.load()
        expect(context.state).toEqual({ count: 25, by: Object.fromEntries(starts.map((id, index) => [id, index])) })
        expect(context.list).toHaveLength(25)
      },
    },
    {
      title: 'reads several keys as they were at one instant, whatever is committed meanwhile',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ context: { left: 0, right: 0 } })
        const claim = await hand.claim('a')
        const other = await stage.world.reopen()
        let isOver = false
        const reading = (async () => {
          let torn = 0
          while (!isOver) {
            const read = await other.store.context(RUN).read(['left', 'right'])
            if (read.get('left')?.value !== read.get('right')?.value) torn += 1
            await new Promise((resolve) => setImmediate(resolve))
          }
          return torn
        })()

        for (let turn = 0; turn < 50; turn++) {
          await write(
            hand,
            claim,
            [
              { op: 'increment', key: 'left', by: 1 },
              { op: 'increment', key: 'right', by: 1 },
            ],
            turn,
          )
        }
        isOver = true

        expect(await reading).toBe(0)
        expect((await hand.load()).context).toEqual({ left: 50, right: 50 })
      },
    },
    {
      title: 'is read by people through a context that cannot write',
      async run(stage) {
        const serializer = new JsonSerializer()
        const when = new Date('2026-01-05T09:00:00.000Z')
        await stage.hand().create({ context: { when: serializer.encode(when, 'when'), n: 1 } })
        const context = new ReadOnlyContext({ source: stage.store.context(RUN), serializer })

        expect(await context.get('when')).toEqual(when)
        expect(await context.getMany(['n', 'nothing'])).toEqual({ n: 1 })
        expect(await context.has('nothing')).toBe(false)
        expect(await context.version('n')).toBe(1)
        expect(await context.toJSON()).toEqual({ when, n: 1 })
        await expect(context.set()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
      },
    },
  ],
}
