import type { JsonValue } from '@baton/core'
import { expect } from 'vitest'
import { arrival, RUN } from '../hand.ts'
import type { Suite } from '../suite.ts'

/** Changes everything in a value that can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (value instanceof Map) {
    for (const inner of value.values()) spoil(inner)
    value.clear()
    return
  }
  for (const key of Object.keys(value)) {
    const members = value as Record<string, unknown>
    spoil(members[key])
    if (typeof members[key] !== 'object') members[key] = 'spoilt'
  }
  if (Array.isArray(value)) value.push('spoilt')
  else (value as Record<string, unknown>).spoilt = true
}

const WEIRD: JsonValue = {
  '': 'empty name',
  'naïve ☃ \u{1F469}\u200D\u{1F680} \u05D0\u05D1': '\u{1F469}\u200D\u{1F680}\u2028\u2029\u0000\u0007"\\',
  empty: { text: '', list: [], object: {}, nothing: null },
  numbers: [0, -1.5, 1e308, 5e-324, 2 ** 53 - 1, -(2 ** 53 - 1), 0.1],
  tagged: { $baton: 'bigint', value: '9223372036854775807' },
  deep: [[[[[[[[[['deep']]]]]]]]]],
  booleans: [true, false],
  'with.dot': 1,
  'with\'quote"': 2,
  constructor: 'own',
  numbered: { 10: 'ten', 9: 'nine' },
}

export const keepingValues: Suite = {
  name: 'keeping values',
  cases: [
    {
      title: 'keeps any JSON exactly: unicode, empty texts, extreme numbers, tagged values, null',
      async run(stage) {
        const hand = stage.hand()
        const step = { position: 0, kind: 'step' as const, name: 'naïve ☃', result: WEIRD }
        await hand.create({ input: WEIRD, context: { weird: WEIRD, nothing: null, 'né ☃': '' } })
        const claim = await hand.claim('a', { input: true, reads: ['weird'] })
        await hand.committed(claim, { type: 'stepped', step, deltas: [{ op: 'set', key: '\u{1F600}', value: WEIRD }] })
        await hand.succeed(claim, { output: WEIRD, resultOf: 'a', arrivals: [arrival('b', 'a')] })

        const there = stage.hand('worker-2', await stage.world.reopen())
        const next = await there.claim('b', { reads: ['\u{1F600}', 'né ☃', 'nothing'] })
        await there.succeed(next)

        expect(claim.input).toEqual(WEIRD)
        expect(claim.context.weird?.value).toEqual(WEIRD)
        expect(next.arrivals[0]?.output).toEqual(WEIRD)
        expect(next.context).toEqual({
          '\u{1F600}': { value: WEIRD, version: 1 },
          'né ☃': { value: '', version: 1 },
          nothing: { value: null, version: 1 },
        })
        const run = await there.load()
        expect(run.output).toEqual(WEIRD)
        expect(run.instances[0]?.steps).toEqual([step])
        expect(run.context).toEqual({ weird: WEIRD, nothing: null, 'né ☃': '', '\u{1F600}': WEIRD })
      },
    },
    {
      title: 'tells an absent value from null',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        await hand.run('a', { arrivals: [arrival('c', 'a')] })
        await hand.run('b', { output: null, arrivals: [arrival('d', 'b')] })

        const [absent] = (await hand.claim('c', { input: true })).arrivals
        const [nothing] = (await hand.claim('d')).arrivals

        expect(absent !== undefined && 'output' in absent).toBe(false)
        expect(nothing).toMatchObject({ output: null })
        const run = await hand.load()
        expect('input' in run).toBe(false)
        expect(run.instances.map((instance) => 'output' in instance).slice(0, 2)).toEqual([false, true])
      },
    },
    {
      title: 'keeps a value of one megabyte in input, output and context',
      async run(stage) {
        const hand = stage.hand()
        const big = 'é'.repeat(512 * 1024)
        await hand.create({ input: big, context: { big } })
        await hand.run('a', {
          output: [big],
          arrivals: [arrival('b', 'a')],
          deltas: [{ op: 'set', key: 'more', value: { big } }],
        })

        const claim = await hand.claim('b', { input: true, reads: ['big', 'more'] })

        expect(claim.input === big).toBe(true)
        expect(claim.context.big?.value === big).toBe(true)
        expect((claim.context.more as unknown as { value: { big: string } }).value.big === big).toBe(true)
        expect((claim.arrivals[0] as unknown as { output: string[] }).output[0] === big).toBe(true)
      },
    },
    {
      title: 'takes what it is given as it is then: changing it before the answer changes nothing',
      async run(stage) {
        const hand = stage.hand()
        const run = { runId: RUN, kind: 'workflow' as const, flowId: 'flow', starts: ['a'], input: { list: [1] } }
        const creating = stage.store.create(run)
        spoil(run.input)
        await creating
        const claim = await hand.claim('a')
        const transition = hand.transition(claim, {
          type: 'succeeded',
          output: { out: [1] },
          resultOf: 'a',
          arrivals: [arrival('b', 'a')],
        })
        const committing = stage.store.commit(transition)
        spoil(transition.outcome)
        await committing

        const here = await hand.load()
        expect(here).toMatchObject({ input: { list: [1] }, instances: [{ instanceId: 'a' }, { instanceId: 'b' }] })
        expect(await stage.hand('worker-2', await stage.world.reopen()).load()).toEqual(here)
        expect((await hand.claim('b')).arrivals).toMatchObject([{ output: { out: [1] } }])
      },
    },
    {
      title: 'shares no object with who passed it in: changing it afterwards changes nothing inside',
      async run(stage) {
        const hand = stage.hand()
        const run = {
          runId: RUN,
          kind: 'workflow' as const,
          flowId: 'flow',
          starts: ['a'],
          input: { list: [1] },
          context: { k: { n: 1 } },
          tags: ['t'],
        }
        await stage.store.create(run)
        spoil(run.input)
        spoil(run.context)
        spoil(run.tags)
        const claim = await hand.claim('a')
        const transition = hand.transition(claim, {
          type: 'succeeded',
          output: { out: [1] },
          deltas: [{ op: 'set', key: 'set', value: { list: [1] } }],
          arrivals: [arrival('b', 'a')],
        })
        await stage.store.commit(transition)
        const before = await hand.everything()
        spoil(transition.outcome)

        expect(await hand.everything()).toEqual(before)
        expect(await hand.load()).toMatchObject({
          input: { list: [1] },
          tags: ['t'],
          context: { k: { n: 1 }, set: { list: [1] } },
        })
      },
    },
    {
      title: 'shares no object with who got it: changing it changes nothing inside',
      async run(stage) {
        const hand = stage.hand()
        const context = { k: { list: [1] } }
        await hand.create({ starts: ['a', 'b'], input: { list: [1] }, context, tags: ['t'] })
        const claim = await hand.claim('a', { input: true, reads: ['k'] })
        await hand.succeed(claim, { output: { out: [1] }, arrivals: [arrival('c', 'a')] })
        const before = await hand.everything()

        spoil(claim.input)
        spoil(claim.context)
        spoil(await hand.load())
        spoil(await stage.store.summary(RUN))
        spoil(await stage.store.list())
        spoil(await hand.journal())
        spoil(await stage.store.due({ limit: 10 }))
        spoil(await stage.store.context(RUN).read(['k']))
        spoil(await stage.store.context(RUN).readAll())
        spoil(await hand.claim('c', { claimId: 'spoilt' }))

        const after = (await hand.everything()) as { journal: unknown[] }
        const expected = before as { journal: unknown[] }
        expect(after.journal.slice(0, expected.journal.length)).toEqual(expected.journal)
        expect((await hand.claim('c', { claimId: 'spoilt' })).arrivals[0]?.output).toEqual({ out: [1] })
        expect((await hand.load()).context).toEqual(context)
      },
    },
  ],
}
