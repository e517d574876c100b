/** What the verdict finds in what is wrong: runs that ended well, each with one thing changed. */
import { FlowRuntime, InMemoryRunStore, type IRunStore, type RunEvent, type RunnableFlow } from '@baton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Ports } from '../backend.ts'
import { family } from '../flows/families.ts'
import { line } from '../flows/graphs.ts'
import { flows } from '../flows/index.ts'
import type { Kind } from '../flows/kind.ts'
import { rated, slotsLeft } from '../flows/limits.ts'
import type { Started } from '../load.ts'
import { Oracle } from '../oracle.ts'
import type { Kept } from '../timetable.ts'
import { withMethods } from '../watched-store.ts'
import type { WitnessLine } from '../witness.ts'
import { judge } from './judge.ts'

let store: IRunStore
let started: Started[]
let schedules: Kept[]
let witness: WitnessLine[]

beforeEach(() => {
  store = new InMemoryRunStore()
  started = []
  schedules = []
  witness = []
})

/** Runs it to its end. */
async function play(flow: RunnableFlow, input: number, runId: string, tags: readonly string[] = []): Promise<Started> {
  await using runtime = new FlowRuntime({ store, flows })
  await runtime.run(flow, input, { runId, tags })
  return startedAs({ flow }, input, runId)
}

function startedAs(kind: Kind, input: number, runId: string): Started {
  const run: Started = { runId, kind, input, isCalledOff: undefined, pauses: [], redrivenAs: new Set() }
  started.push(run)
  return run
}

/** The store tells other events of this run than it has. */
function retold(runId: string, change: (event: RunEvent) => readonly RunEvent[]): void {
  const told = store
  store = withMethods(told, {
    async *journal(id, options) {
      let seq = 0
      for await (const event of told.journal(id, options)) {
        for (const each of id === runId ? change(event) : [event]) yield { ...each, seq: ++seq }
      }
    },
  })
}

async function found(): Promise<readonly string[]> {
  const evidence = { ports: { store } as Ports, started, schedules, witness, oracle: new Oracle() }
  return (await judge(evidence, () => {})).map(({ what, runId, detail }) => `${what}: ${runId}: ${detail}`)
}

it('finds nothing in what is right', async () => {
  await play(line, 1, 'line-1')
  await play(family, 2, 'family-2')

  expect(await found()).toEqual([])
})

it('finds a run that nobody has started', async () => {
  await play(line, 1, 'line-1')
  started.length = 0

  expect(await found()).toEqual(['doubled: line-1: is there, and nobody has started it'])
})

it('finds a run that ended as another one', async () => {
  await play(line, 1, 'line-1')
  started = []
  startedAs({ flow: line }, 2, 'line-1')

  expect(await found()).toEqual([expect.stringMatching(/^lost: line-1: line-1 ended as .* and not as /)])
})

it('finds a child that is not there', async () => {
  await play(family, 2, 'family-2')
  const told = store
  const hidden = (id: string) => id === 'family-2:one:1'
  store = withMethods(told, {
    list: async (query) => {
      const page = await told.list(query)
      return { ...page, runs: page.runs.filter(({ runId }) => !hidden(runId)) }
    },
  })

  expect(await found()).toContain('lost: family-2: its child family-2:one:1 is not there')
})

it('finds what was acknowledged and did not happen: a cancel, a pause, a redrive', async () => {
  const run = await play(line, 1, 'line-1')
  run.isCalledOff = true
  run.pauses.push('operator-1')
  run.redrivenAs.add('line-1:redrive')

  expect(await found()).toEqual([
    'lost: line-1: its redrive was acknowledged as line-1:redrive, and it is not there',
    'lost: line-1: its pause by operator-1 was acknowledged, and is not there',
    'lost: line-1: its cancel was acknowledged, and it is completed',
  ])
})

it('finds a claim while the run was paused', async () => {
  await play(line, 1, 'line-1')
  retold('line-1', (event) =>
    event.type === 'node-claimed' && event.instanceId === 'b'
      ? [{ seq: 0, atMs: event.atMs, type: 'run-pause-ordered', reason: 'to look' }, event]
      : [event],
  )

  expect(await found()).toContain('doubled: line-1: b was claimed while its run was paused')
})

it('finds two commits of one instance, unless it was opened again between', async () => {
  await play(line, 1, 'line-1')
  const line1 = { worker: 'w1', runId: 'line-1', instanceId: 'b', outcome: 'succeeded' } as const
  witness.push({ ...line1, what: 'committed', fence: 1, commitId: 'c1' })
  witness.push({ ...line1, what: 'committed', fence: 1, commitId: 'c2' })

  expect(await found()).toEqual(['doubled: line-1: b was committed twice'])

  retold('line-1', (event) =>
    event.type === 'node-succeeded' && event.instanceId === 'b'
      ? [event, { seq: 0, atMs: event.atMs, type: 'node-reopened', instanceId: event.instanceId, undone: [] }]
      : [event],
  )
  expect(await found()).not.toContain('doubled: line-1: b was committed twice')
})

describe('limits', () => {
  const limiter = 'baton:limit:slots-left:runs'

  async function playThree(): Promise<void> {
    for (const input of [1, 2, 3]) await play(slotsLeft, input, `slots-left-${input}`)
  }

  it('finds more runs let in than there are slots', async () => {
    await playThree()
    const firstMs = (await store.summary('slots-left-1' as never))?.createdAtMs ?? 0
    for (const input of [2, 3]) {
      retold(`slots-left-${input}`, (event) =>
        event.type === 'slot-granted' ? [{ ...event, atMs: firstMs }] : [event],
      )
    }

    expect(await found()).toContain(`doubled: ${limiter}: 3 runs were let in, of 2`)
  })

  it('finds node code of more runs in there, and not that of a zombie', async () => {
    await playThree()
    const say = (input: number, what: 'ran' | 'left', fence = 1) =>
      witness.push(
        what === 'ran'
          ? { what, worker: 'w1', runId: `slots-left-${input}`, instanceId: 'a', attempt: 1, fence }
          : { what, worker: 'w1', runId: `slots-left-${input}`, instanceId: 'last', fence },
      )
    for (const input of [1, 2, 3]) say(input, 'ran')
    const last = async (input: number) => {
      const record = await store.load(`slots-left-${input}` as never)
      return record?.instances.find(({ instanceId }) => instanceId === 'last')?.fence ?? 0
    }
    for (const input of [1, 2, 3]) say(input, 'left', await last(input))
    const crowd = `doubled: ${limiter}: node code of 3 runs was in there, of 2`
    expect(await found()).toContain(crowd)

    // The third came when the first had gone, whatever an older claim of the first says afterwards.
    witness = []
    for (const input of [1, 2]) say(input, 'ran')
    say(1, 'left', await last(1))
    say(3, 'ran')
    say(1, 'left', (await last(1)) - 1)
    for (const input of [2, 3]) say(input, 'left', await last(input))
    expect(await found()).toEqual([])
  })

  it('finds a slot that is not free at the end', async () => {
    await playThree()
    const told = store
    store = withMethods(told, {
      load: async (runId) => {
        const record = await told.load(runId)
        return record?.limiter === undefined
          ? record
          : { ...record, limiter: { ...record.limiter, held: ['slots-left-1' as never] } }
      },
    })

    expect(await found()).toContain(`stuck: ${limiter}: still keeps a slot for slots-left-1`)
  })

  it('finds a run that a rate let in too early', async () => {
    for (const input of [1, 2, 3, 4]) await play(rated, input, `rated-${input}`)
    expect(await found()).toEqual([])

    // Had it been three a second, the last one would have been too many.
    const told = store
    store = withMethods(told, {
      load: async (runId) => {
        const record = await told.load(runId)
        return record?.gates === undefined
          ? record
          : { ...record, gates: record.gates.map((gate) => ({ ...gate, most: 3 })) }
      },
    })

    expect(await found()).toContain('doubled: baton:limit:rated:rate: the 4th run was let in too early')
  })
})

describe('schedules', () => {
  const schedule: Kept = { id: 'ticks', everyMs: 1_000, input: 1, overlap: 'queue', triggered: [] }

  async function keep(context: object, triggered: string[] = [], overlap: Kept['overlap'] = 'queue'): Promise<void> {
    await using runtime = new FlowRuntime({ store, flows })
    const tags = ['schedule:ticks']
    for (const second of [1, 2, 4]) {
      await runtime.run(line, 1, { runId: `ticks@2030-01-01T00:00:0${second}Z`, tags })
    }
    await runtime.run(line, 1, { runId: 'schedule:ticks', context: { state: context } })
    startedAs({ flow: line }, 1, 'schedule:ticks')
    schedules.push({ ...schedule, triggered, overlap })
  }

  it('finds an instant that was left out, and one that was asked for in vain', async () => {
    await keep({ startedCount: 3, triggeredCount: 0 }, ['ticks@trigger-x'])

    expect(await found()).toEqual([
      'lost: schedule:ticks: has not started 2030-01-01T00:00:03.000Z, ticks@trigger-x, and says that it has skipped 0',
    ])
  })

  it('takes it that a line was too long, if the schedule has said so', async () => {
    await keep({ startedCount: 3, triggeredCount: 0, skippedCount: 1 })

    expect(await found()).toEqual([])
  })

  it('takes it that instants were too many to catch up on, but not that a run was asked for in vain', async () => {
    await keep({ startedCount: 3, triggeredCount: 0, skippedCount: 2 }, [], 'allow')
    expect(await found()).toEqual([])

    schedules.push({ ...schedule, overlap: 'allow', triggered: ['ticks@trigger-x'] })
    expect(await found()).toContainEqual(
      expect.stringContaining('has not started 2030-01-01T00:00:03.000Z, ticks@trigger-x'),
    )
  })

  it('finds a schedule that counts other runs than there are', async () => {
    await keep({ startedCount: 4, triggeredCount: 0, skippedCount: 1 })

    expect(await found()).toContain('lost: schedule:ticks: says that it has started 4 and 0, and there are 3 and 0')
  })

  it('finds a schedule that is not there', async () => {
    schedules.push(schedule)

    expect(await found()).toEqual(['lost: schedule:ticks: was created, and is not there'])
  })
})
