import { createFlow, type IRunStore, type NodeArguments, type RunId } from '@baton/core'
import { around, Cable } from '@baton/testing'
import { expect, it } from 'vitest'
import { MINUTE, World } from './world.ts'

/** Long enough for a lease to end in it. */
const STEP = 5 * MINUTE

const report = createFlow<string>('report').node('write', ({ input }: NodeArguments<string>) => ({ output: input }))
const slow = createFlow('slow').node('work', async ({ sleep }: NodeArguments) => {
  await sleep(1.5 * STEP)
})

/** What changes a store. */
const WRITES = ['create', 'claim', 'commit', 'notify', 'delivered', 'redispatch']

type When = 'before it is done' | 'after it is done, before the answer'

/** A store whose process dies at the n-th write. Once plugged in again, the process is a zombie. */
function mortal(store: IRunStore, dies: { readonly at: number; readonly when: When }) {
  const cable = new Cable(store)
  const wire = { cable, writes: 0, store }
  wire.store = around(cable.store, (method, call) => {
    if (!WRITES.includes(method)) return call()
    wire.writes += 1
    if (wire.writes !== dies.at) return call()
    if (dies.when === 'before it is done') {
      cable.pull()
      return call()
    }
    return (async () => {
      await call()
      cable.pull()
      // The answer never comes.
      return call()
    })()
  })
  return wire
}

/** Two instants, of which the worker sees as many as it lives to see; another one does the rest. */
async function play(flow: typeof report | typeof slow, dies: { readonly at: number; readonly when: When }) {
  await using world = new World()
  const overlap = flow === slow ? ('cancel-previous' as const) : ('queue' as const)
  await world.schedules.create({
    id: 's',
    flow,
    input: 'x' as never,
    everyMs: STEP,
    overlap,
    catchUp: 'all',
    maxRuns: 2,
  })
  const wire = mortal(world.store, dies)
  const mortalOne = world.worker([flow], { store: wire.store, isMortal: true, sweepMs: 15_000 })
  for (let tenth = 0; tenth < 21 && wire.writes < dies.at; tenth++) await world.clock.advance(0.1 * STEP)
  const writes = wire.writes
  world.worker([flow], { sweepMs: 15_000 })
  await world.clock.advance(0.5 * STEP)
  // The network of the first one is back, and it goes on with what it believes in.
  wire.cable.plug()
  await world.clock.advance(3 * STEP)
  await world.clock.until(mortalOne.stop(), STEP)

  const runs = await world.runsOf('s')
  const { status, startedCount, skippedCount } = await world.schedules.get('s')
  return {
    writes,
    runs: runs.map((run) => `${run.runId} ${run.status}`),
    schedule: { status, startedCount, skippedCount },
  }
}

it.each([
  ['a run that takes no time', report],
  ['a run that is called off for the next', slow],
] as const)(
  'starts each run once, whichever write its worker dies at: %s',
  async (_, flow) => {
    const undisturbed = await play(flow, { at: Number.POSITIVE_INFINITY, when: 'before it is done' })
    expect(undisturbed.runs).toHaveLength(2)
    expect(undisturbed.writes).toBeGreaterThan(20)

    for (let at = 1; at <= undisturbed.writes; at++) {
      for (const when of ['before it is done', 'after it is done, before the answer'] as const) {
        const { runs, schedule } = await play(flow, { at, when })
        expect({ at, when, runs: runs.sort(), schedule }).toEqual({ at, when, ...undisturbed, writes: undefined })
      }
    }
  },
  120_000,
)

it('a schedule outlives any number of workers that die when it is their turn', async () => {
  await using world = new World()
  const { id } = await world.schedules.create({ id: 'ticks', flow: report, input: 'x', everyMs: MINUTE })
  const [run] = (await world.store.list({})).runs
  const runId = run?.runId as RunId
  for (let worker = 1; worker <= 8; worker++) {
    const claim = { runId, instanceId: 'turn', claimId: `c${worker}`, workerId: `w${worker}`, leaseMs: 1_000 }
    expect((await world.store.claim(claim)).status).toBe('claimed')
    await world.clock.advance(2_000)
  }

  world.worker([report])
  await world.clock.advance(5 * MINUTE)

  expect((await world.store.summary(runId))?.status).toBe('paused')
  expect((await world.runsOf(id)).length).toBeGreaterThanOrEqual(4)
})
