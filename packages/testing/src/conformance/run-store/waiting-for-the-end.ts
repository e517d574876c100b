import type { RunSummary } from '@baton/core'
import { expect } from 'vitest'
import { BROKEN, RUN } from '../hand.ts'
import type { Stage } from '../stage.ts'
import type { Suite } from '../suite.ts'

type UntilEnd = (signal?: AbortSignal) => Promise<RunSummary | undefined>

/** Undefined for a store that leaves it out: its journal is followed instead, which `the journal` is about. */
function untilEndOf(store: Stage['store']): UntilEnd | undefined {
  if (store.untilEnd === undefined) return undefined
  return async (signal) => store.untilEnd?.(RUN, signal)
}

export const waitingForTheEnd: Suite = {
  name: 'waiting for the end of a run',
  cases: [
    {
      title: 'says at once how a run has ended',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        await hand.run('a', { output: 7 })
        const untilEnd = untilEndOf(stage.store)
        if (untilEnd === undefined) return

        expect(await stage.until(untilEnd())).toEqual(await stage.store.summary(RUN))
        expect(await stage.until(untilEnd(AbortSignal.abort()))).toMatchObject({ status: 'completed' })
      },
    },
    {
      title: 'says so when the run ends, also by another process, and to all who wait',
      async run(stage) {
        const hand = stage.hand()
        await hand.create({ starts: ['a', 'b'] })
        const elsewhere = untilEndOf((await stage.world.reopen()).store)
        const here = untilEndOf(stage.store)
        if (here === undefined || elsewhere === undefined) return
        let ends = 0
        const waits = [here(), here(), elsewhere()].map((wait) => wait.finally(() => (ends += 1)))
        await hand.run('a')
        await stage.pass(stage.ticks(3))
        expect(ends).toBe(0)

        await hand.fail(await hand.claim('b'), { error: BROKEN })

        const [first, ...others] = await stage.until(Promise.all(waits))
        expect(first).toMatchObject({ runId: RUN, status: 'failed', error: { message: BROKEN.message } })
        for (const other of others) expect(other).toEqual(first)
      },
    },
    {
      title: 'is told of an end that no commit brings: a cancel',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const elsewhere = untilEndOf((await stage.world.reopen()).store)
        if (elsewhere === undefined) return
        const wait = elsewhere()
        await stage.pass(stage.ticks(3))

        await hand.cancel('enough')

        expect(await stage.until(wait)).toMatchObject({ status: 'cancelled', reason: 'enough' })
      },
    },
    {
      title: 'stops when told, and leaves the run as it is',
      async run(stage) {
        const hand = stage.hand()
        await hand.create()
        const before = await hand.everything()
        const untilEnd = untilEndOf(stage.store)
        if (untilEnd === undefined) return
        const enough = new AbortController()
        const wait = untilEnd(enough.signal)
        await stage.pass(stage.ticks(3))
        enough.abort()

        expect(await stage.until(wait)).toBeUndefined()
        expect(await stage.until(untilEnd(enough.signal))).toBeUndefined()
        expect(await hand.everything()).toEqual(before)
      },
    },
    {
      title: 'knows no run that is not there',
      async run(stage) {
        const untilEnd = untilEndOf(stage.store)
        if (untilEnd === undefined) return
        await expect(untilEnd()).rejects.toMatchObject({ code: 'UNKNOWN_RUN' })
      },
    },
  ],
}
