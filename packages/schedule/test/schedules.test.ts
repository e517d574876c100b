import { createFlow, type NodeArguments } from '@baton/core'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, World } from './world.ts'

const report = createFlow<string>('report').node('write', async ({ input, context }: NodeArguments<string>) => ({
  output: [input, await context.get('schedule')],
}))

const textOnly = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => (typeof value === 'string' ? { value } : { issues: [{ message: 'must be a text' }] }),
  },
}

/** Goes on until it is told to end. */
const slow = createFlow('slow').node('work', async ({ waitForSignal }: NodeArguments) => ({
  output: await waitForSignal('end'),
}))

describe('a schedule', () => {
  it('starts a run at each of its instants, with its input, and the run knows which one it is', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 'daily', flow: report, input: 'sales', cron: '30 9 * * *' })

    await world.clock.advance(3 * DAY)

    expect(await world.instantsOf('daily')).toEqual(['2026-01-05T09:30Z', '2026-01-06T09:30Z', '2026-01-07T09:30Z'])
    const [first] = await world.runsOf('daily')
    expect(first).toMatchObject({
      runId: 'daily@2026-01-05T09:30:00Z',
      status: 'completed',
      output: ['sales', { id: 'daily', atMs: Date.UTC(2026, 0, 5, 9, 30) }],
    })
    expect(await world.schedules.get('daily')).toMatchObject({
      status: 'active',
      startedCount: 3,
      skippedCount: 0,
      lastRun: { runId: 'daily@2026-01-07T09:30:00Z' },
    })
  })

  it('starts runs that are the root of their own lineage', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: '', everyMs: HOUR })
    await world.clock.advance(HOUR)

    const [run] = await world.runsOf('s')

    expect(run?.lineage.rootRunId).toBe(run?.runId)
    expect(run?.tags).toEqual(['schedule:s'])
  })

  it('starts two months of hourly runs, those of the last week as cheaply as those of the second', async () => {
    await using world = new World()
    const counting = countWrites(world)
    world.worker([report], { store: counting.store, sweepMs: HOUR })
    await world.schedules.create({ id: 'hourly', flow: report, input: '', everyMs: HOUR, overlap: 'allow' })

    const perWeek: number[] = []
    for (let week = 1; week <= 8; week++) {
      const before = counting.bytes
      await world.clock.advance(7 * DAY)
      perWeek.push(counting.bytes - before)
    }

    expect(await world.schedules.get('hourly')).toMatchObject({ startedCount: 8 * 7 * 24, skippedCount: 0 })
    expect(perWeek.at(-1)).toBeLessThan(1.02 * (perWeek[1] ?? 0))
    const keeper = await world.client.get('schedule:hourly').latest()
    expect((await keeper.summary()).seq).toBeLessThan(1_000)
  }, 60_000)

  it('hears of runs that were started by the run before the one that keeps it now', async () => {
    await using world = new World()
    world.worker([slow])
    await world.schedules.create({ id: 's', flow: slow, everyMs: HOUR })
    await world.clock.advance(HOUR)
    const before = await world.client.get('schedule:s').latest()

    for (let count = 0; count < 110; count++) await world.schedules.unpause('s')
    await world.clock.advance(MINUTE)
    expect((await world.client.get('schedule:s').latest()).runId).not.toBe(before.runId)
    await world.client.signal('s@2026-01-05T10:00:00Z', 'end')
    await world.clock.advance(HOUR)

    expect(await world.instantsOf('s')).toEqual(['2026-01-05T10:00Z', '2026-01-05T11:00Z'])
  })

  it('starts runs of the version that its worker was given last', async () => {
    await using world = new World()
    const [one, two] = ['1', '2'].map((version) => createFlow('versioned', { version }).node('do', () => ({})))
    if (one === undefined || two === undefined) throw new Error('there are two')
    await world.schedules.create({ id: 's', flow: one, everyMs: HOUR })
    const first = world.worker([one])
    await world.clock.advance(HOUR)
    await world.clock.until(first.stop())
    world.worker([one, two])
    await world.clock.advance(HOUR)

    expect((await world.runsOf('s')).map(({ version }) => version)).toEqual(['1', '2'])
  })

  it('does not keep the runs that it has started from being removed', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: '', everyMs: HOUR })
    await world.clock.advance(2.5 * HOUR)

    expect(await world.store.purge({ endedBeforeMs: world.clock.now() })).toBe(2)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'active', startedCount: 2 })
  })

  it('goes on when the flow refuses its input, and tells of it', async () => {
    await using world = new World()
    const picky = createFlow('picky', { input: textOnly }).node('take', () => ({}))
    world.worker([picky])
    await world.schedules.create({ id: 's', flow: 'picky', input: 5, everyMs: HOUR, overlap: 'queue' })
    await world.clock.advance(2.5 * HOUR)
    expect(await world.runsOf('s')).toEqual([])

    expect(await world.schedules.get('s')).toMatchObject({
      status: 'active',
      startedCount: 0,
      refusedCount: 2,
      lastRefusal: { code: 'INVALID_VALUE' },
      queuedCount: 0,
    })
    await world.schedules.update('s', { input: 'five' })
    await world.clock.advance(HOUR)
    expect(await world.runsOf('s')).toHaveLength(1)
  })

  it('ends when its last instant has passed, and says so', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: '', everyMs: HOUR, maxRuns: 2 })

    await world.clock.advance(10 * HOUR)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'ended', startedCount: 2, nextAtMs: [] })
    await expect(world.schedules.pause('s')).rejects.toMatchObject({ code: 'UNKNOWN_SCHEDULE' })
  })

  it('tells what comes next', async () => {
    await using world = new World()

    const view = await world.schedules.create({
      id: 's',
      flow: report,
      input: '',
      cron: '0 6 * * *',
      timeZone: 'Europe/Berlin',
      maxRuns: 2,
    })

    expect(view.nextAtMs).toEqual([Date.UTC(2026, 0, 6, 5), Date.UTC(2026, 0, 7, 5)])
  })
})

describe('when nobody was there for days', () => {
  it.each([
    ['none', []],
    ['one', ['2026-01-08T10:00Z']],
    ['all', ['2026-01-05T10:00Z', '2026-01-06T10:00Z', '2026-01-07T10:00Z', '2026-01-08T10:00Z']],
  ] as const)('a schedule catches up: %s', async (catchUp, expected) => {
    await using world = new World()
    await world.schedules.create({ id: 's', flow: report, input: '', cron: '0 10 * * *', catchUp, overlap: 'allow' })
    await world.clock.advance(3 * DAY + 2 * HOUR)

    world.worker([report])
    await world.clock.advance(MINUTE)

    expect((await world.instantsOf('s')).sort()).toEqual(expected)
    await world.clock.advance(DAY)
    expect((await world.instantsOf('s')).at(-1)).toBe('2026-01-09T10:00Z')
  })
})

describe('a run that goes on when the next one is due', () => {
  it('is followed when it has ended, and what it left out is counted', async () => {
    await using world = new World()
    world.worker([slow])
    await world.schedules.create({ id: 's', flow: slow, everyMs: HOUR })
    await world.clock.advance(3.5 * HOUR)
    expect(await world.instantsOf('s')).toEqual(['2026-01-05T10:00Z'])
    expect(await world.schedules.get('s')).toMatchObject({ runningRunId: 's@2026-01-05T10:00:00Z' })

    await world.client.signal('s@2026-01-05T10:00:00Z', 'end')
    await world.clock.advance(HOUR)

    expect(await world.instantsOf('s')).toEqual(['2026-01-05T10:00Z', '2026-01-05T13:00Z'])
    expect(await world.schedules.get('s')).toMatchObject({ skippedCount: 2, startedCount: 2 })
  })

  it('is called off for the next one, which begins when it has ended', async () => {
    await using world = new World()
    world.worker([slow])
    await world.schedules.create({ id: 's', flow: slow, everyMs: HOUR, overlap: 'cancel-previous' })

    await world.clock.advance(3.5 * HOUR)

    const runs = await world.runsOf('s')
    expect(runs.map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'paused'])
  })

  it('lets the others wait in line', async () => {
    await using world = new World()
    world.worker([slow])
    await world.schedules.create({ id: 's', flow: slow, everyMs: HOUR, overlap: 'queue' })
    await world.clock.advance(3.5 * HOUR)
    expect(await world.schedules.get('s')).toMatchObject({ queuedCount: 2 })

    await world.client.signal('s@2026-01-05T10:00:00Z', 'end')
    await world.clock.advance(10_000)
    await world.client.cancel('s@2026-01-05T11:00:00Z')
    await world.clock.advance(10_000)

    const runs = await world.runsOf('s')
    expect(runs.map(({ status }) => status)).toEqual(['completed', 'cancelled', 'paused'])
  })
})

describe('a schedule that is told something', () => {
  it('pauses, starts what is asked for, and goes on without catching up', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: '', everyMs: HOUR, catchUp: 'all' })
    await world.clock.advance(HOUR)
    await world.schedules.pause('s', 'the printer is broken')
    await world.clock.advance(3 * HOUR)
    expect(await world.schedules.get('s')).toMatchObject({ status: 'paused', pauseReason: 'the printer is broken' })

    const triggered = await world.schedules.trigger('s')
    await world.clock.advance(MINUTE)
    expect(await world.client.get(triggered).status()).toBe('completed')
    await world.schedules.unpause('s')
    await world.clock.advance(HOUR)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'active', startedCount: 2, triggeredCount: 1 })
  })

  it('changes its instants', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR })
    await world.clock.advance(HOUR)

    await world.schedules.update('s', { cron: '30 12 * * *', input: 'b' })
    await world.clock.advance(DAY)

    const runs = await world.runsOf('s')
    expect(runs.map(({ runId, output }) => [runId, (output as unknown[])[0]])).toEqual([
      ['s@2026-01-05T10:00:00Z', 'a'],
      ['s@2026-01-05T12:30:00Z', 'b'],
    ])
    expect(await world.schedules.get('s')).toMatchObject({ cron: '30 12 * * *' })
    expect(await world.schedules.get('s')).not.toHaveProperty('everyMs')
  })

  it('takes two changes that cross each other, neither of which undoes the other', async () => {
    await using world = new World()
    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR })

    // No worker has heard of the first when the second is made.
    await world.schedules.update('s', { everyMs: 2 * HOUR })
    await world.schedules.update('s', { input: 'b' })
    world.worker([report])
    await world.clock.advance(MINUTE)

    expect(await world.schedules.get('s')).toMatchObject({ everyMs: 2 * HOUR, input: 'b' })
  })

  it('tells of a change that does not go together with one that was faster', async () => {
    await using world = new World()
    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR })

    // No worker has heard of the first when the second is made: by itself, each goes together with the hour.
    await world.schedules.update('s', { everyMs: 2 * MINUTE })
    await world.schedules.update('s', { jitterMs: 30 * MINUTE })
    world.worker([report])
    await world.clock.advance(MINUTE)

    const { jitterMs, ...view } = await world.schedules.get('s')
    expect(jitterMs).toBeUndefined()
    expect(view).toMatchObject({
      everyMs: 2 * MINUTE,
      refusedCount: 0,
      lastRefusal: { code: 'INVALID_OPTION', message: expect.stringContaining('jitterMs') },
    })
  })

  it('is not deleted when it has ended by itself, and says so', async () => {
    await using world = new World()
    world.worker([report])
    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR, maxRuns: 1 })
    await world.clock.advance(HOUR)

    await expect(world.schedules.delete('s')).rejects.toMatchObject({ code: 'UNKNOWN_SCHEDULE', field: 'id' })

    expect(await world.schedules.get('s')).toMatchObject({ status: 'ended' })
  })

  it('is deleted, and what it has started goes on', async () => {
    await using world = new World()
    world.worker([slow])
    await world.schedules.create({ id: 's', flow: slow, everyMs: HOUR })
    await world.clock.advance(HOUR)

    await world.schedules.delete('s')
    await world.clock.advance(3 * HOUR)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'deleted' })
    expect((await world.runsOf('s')).map(({ status }) => status)).toEqual(['paused'])
    await world.schedules.create({ id: 's', flow: slow, everyMs: 2 * HOUR, overlap: 'allow' })
    await world.clock.advance(2 * HOUR)
    expect(await world.schedules.get('s')).toMatchObject({ status: 'active', startedCount: 1 })
    await world.schedules.delete('s')
    await world.schedules.delete('s')
  })

  it('does not mind what it does not understand', async () => {
    await using world = new World()
    world.worker([report])
    const { keeperRunId } = await world.schedules.create({ id: 's', flow: report, input: '', everyMs: HOUR })

    await world.client.signal(keeperRunId, 'schedule', 'hello')
    await world.client.signal(keeperRunId, 'schedule', { type: 'updated', changes: { everyMs: -1 } })
    await world.client.signal(keeperRunId, 'schedule', { type: 'updated', changes: { id: 'other', flowId: 'other' } })
    await world.client.signal(keeperRunId, 'schedule', { type: 'updated' })
    // Of a run without an id nobody would ever hear that it has ended.
    await world.client.signal(keeperRunId, 'schedule', { type: 'triggered' })
    await world.client.signal(keeperRunId, 'schedule', { type: 'paused', reason: { a: 1 } })
    await world.clock.advance(HOUR)

    expect(await world.schedules.get('s')).toMatchObject({
      id: 's',
      status: 'active',
      startedCount: 1,
      triggeredCount: 0,
      everyMs: HOUR,
    })
  })
})

describe('creating a schedule', () => {
  it('twice is creating it once', async () => {
    await using world = new World()
    const asked = { id: 's', flow: report, input: 'a', everyMs: HOUR, overlap: 'queue' } as const

    const [one, other] = await Promise.all([world.schedules.create(asked), world.schedules.create(asked)])

    expect(one.keeperRunId).toBe(other.keeperRunId)
    expect(await world.schedules.list()).toHaveLength(1)
  })

  it('with other content is refused, and names what to do', async () => {
    await using world = new World()
    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR })

    await expect(
      world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: 2 * HOUR }),
    ).rejects.toMatchObject({ code: 'SCHEDULE_EXISTS', field: 'id', hint: expect.stringContaining('update') })
  })

  it('with other content begins anew where the one before has ended; with the same it gives that back', async () => {
    await using world = new World()
    world.worker([report])
    const once = { id: 's', flow: report, input: 'a', everyMs: HOUR, maxRuns: 1 }
    await world.schedules.create(once)
    await world.clock.advance(HOUR)
    expect(await world.schedules.create(once)).toMatchObject({ status: 'ended', startedCount: 1 })

    await world.schedules.create({ ...once, input: 'b' })
    expect(await world.schedules.get('s')).toMatchObject({ status: 'active', input: 'b' })
    await world.clock.advance(HOUR)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'ended', input: 'b', startedCount: 1 })
    expect(await world.instantsOf('s')).toEqual(['2026-01-05T10:00Z', '2026-01-05T11:00Z'])
  })

  it('does not mind a run of somebody else that has its id, or the tag of schedules', async () => {
    await using world = new World()
    world.worker([report])
    await world.client.start(report, 'x', { runId: 'schedule:s', tags: ['schedules', 'keeps-schedule:s'] })
    await expect(world.schedules.get('s')).rejects.toMatchObject({ code: 'UNKNOWN_SCHEDULE' })

    await world.schedules.create({ id: 's', flow: report, input: 'a', everyMs: HOUR })
    await world.clock.advance(HOUR)

    expect(await world.schedules.get('s')).toMatchObject({ status: 'active', startedCount: 1 })
    expect(await world.schedules.list()).toHaveLength(1)
  })

  it('that has ended before it begins is refused; asked for again after its end it is given back', async () => {
    await using world = new World()
    world.worker([report])
    const endAtMs = world.clock.now() + 2 * HOUR
    const schedule = { id: 's', flow: report, input: 'a', everyMs: HOUR, endAtMs }
    await world.schedules.create(schedule)
    await world.clock.advance(2 * HOUR)

    expect(await world.schedules.create(schedule)).toMatchObject({ status: 'ended', startedCount: 1 })
    for (const id of ['s', 'new']) {
      await expect(world.schedules.create({ ...schedule, id, input: 'b' })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        field: 'endAtMs',
        message: expect.stringContaining('2026-01-05T11:00:00.000Z'),
      })
    }
  })

  it('with an input that the flow refuses is refused', async () => {
    await using world = new World()
    const strict = createFlow('strict', { input: textOnly }).node('take', () => ({}))

    await expect(world.schedules.create({ id: 's', flow: strict, input: 5, everyMs: HOUR })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      field: 'input',
    })
    expect(await world.schedules.list()).toEqual([])
  })

  it.each([
    ['an id', { id: 'a b' }, 'id'],
    ['a policy', { overlap: 'skp' }, 'overlap'],
    ['an option', { overlpa: 'skip' }, 'schedule.overlpa'],
    ['a jitter', { jitterMs: HOUR }, 'jitterMs'],
    ['a jitter for a cron expression', { everyMs: undefined, cron: '0 9,10 * * *', jitterMs: HOUR }, 'jitterMs'],
    ['a count', { maxRuns: 0 }, 'maxRuns'],
    ['an option of the runs', { run: { prio: 1 } }, 'run.prio'],
    ['a tag', { run: { tags: [''] } }, 'run.tags[0]'],
    ['an input', { input: () => 1 }, 'input'],
    ['a flow', { flow: 5 }, 'flow'],
  ])('with %s that cannot be used is refused', async (_, wrong, field) => {
    await using world = new World()
    const asked = { id: 's', flow: report, input: 'a', everyMs: HOUR, ...(wrong as object) }

    await expect(world.schedules.create(asked as never)).rejects.toMatchObject({ field })
    expect(await world.schedules.list()).toEqual([])
  })

  it('is needed before it can be told anything', async () => {
    await using world = new World()

    await expect(world.schedules.trigger('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_SCHEDULE', field: 'id' })
  })
})

/** What is written, and what is read to claim: in bytes of JSON. */
function countWrites({ store }: World) {
  const counting = { bytes: 0, store }
  const counted = ['create', 'claim', 'commit', 'notify', 'delivered']
  counting.store = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const answer: unknown = (member as (...args: unknown[]) => unknown).apply(target, args)
        if (counted.includes(String(name))) counting.bytes += JSON.stringify([args, answer ?? null]).length
        return answer
      }
    },
  })
  return counting
}
