/**
 * Random flows in trouble: workers die and others come, answers of the store get lost, the queue loses, doubles and
 * reorders jobs, somebody cancels. Whatever happens, a run ends once, and its journal is whole.
 */
import { foldJournal, recordOf } from '@baton/core/adapter'
import {
  Cable,
  Crew,
  eventsOf,
  losesAnswers,
  memorySubject,
  mischiefs,
  randomFlow,
  Stage,
  withMischief,
} from '@baton/testing'
import { describe, expect, it } from 'vitest'

const SEEDS = 2_000
const MOST_DEATHS = 4
const TURNS = 12
const kinds = Object.values(mischiefs)
const { tickMs } = memorySubject

/** Workers that can be lost one by one, each with a trouble of its own. */
class Shifts {
  readonly #crew: Crew
  readonly #stage: Stage
  readonly #seed: number
  readonly #cables: Cable[] = []

  constructor(crew: Crew, stage: Stage, seed: number) {
    this.#crew = crew
    this.#stage = stage
    this.#seed = seed
  }

  get deaths(): number {
    return this.#cables.length - 2
  }

  begin(): void {
    const count = this.#cables.length
    const { store, queue } = this.#stage.world
    const cable = new Cable(count % 2 === 0 ? losesAnswers(store, ['claim', 'commit']) : store)
    this.#cables.push(cable)
    this.#crew.worker({
      store: cable.store,
      queue: withMischief(queue, kinds[(this.#seed + count) % kinds.length] as (typeof kinds)[number]),
      concurrency: 1 + ((this.#seed + count) % 3),
      inlineMaxNodes: 1 + (count % 3),
    })
  }

  /** The newest worker is lost, and a new one comes. */
  lose(): void {
    this.#cables.at(-1)?.pull()
    this.begin()
  }

  end(): void {
    for (const cable of this.#cables) cable.plug()
  }
}

const FATE = /^node-(succeeded|failed|skipped|cancelled)$/
const END = /^run-(completed|failed|cancelled)$/

async function checkRun(stage: Stage, crew: Crew, runId: string): Promise<void> {
  const journal = await eventsOf(stage.store, crew.client.get(runId).runId)
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
  const folded = foldJournal(journal)
  expect(folded && recordOf(folded)).toEqual(await crew.client.getRun(runId))
  const fates = journal.flatMap((event) => (FATE.test(event.type) && 'instanceId' in event ? [event.instanceId] : []))
  expect(fates).toEqual([...new Set(fates)])
  const steps = journal.flatMap((event) =>
    event.type === 'step-recorded' ? [`${event.instanceId} ${event.step.name}`] : [],
  )
  expect(steps).toEqual([...new Set(steps)])
  expect(journal.filter(({ type }) => END.test(type))).toEqual([journal.at(-1)])
}

async function runSeed(seed: number): Promise<void> {
  const { flow, input } = randomFlow(seed)
  const times = { redispatchMs: 20 * tickMs, redispatchMaxMs: 80 * tickMs, visibilityMs: 40 * tickMs }
  await using world = await memorySubject.create(times)
  const stage = new Stage(memorySubject, world)
  await using crew = new Crew(stage, flow)
  const shifts = new Shifts(crew, stage, seed)
  shifts.begin()
  shifts.begin()
  const handle = await crew.client.start(flow.id, input)

  for (let turn = 0; turn < TURNS; turn++) {
    await stage.pass((seed * 7 + turn * 3) % 40)
    if (seed % 7 === 0 && turn === seed % 5) await handle.cancel('in the middle')
    if ((seed + turn) % 5 === 0 && shifts.deaths < MOST_DEATHS) shifts.lose()
  }

  await crew.outcome(handle, crew.boundMs * 100)
  await checkRun(stage, crew, handle.runId)
  shifts.end()
}

describe('a random flow in trouble', () => {
  it(`ends once, with a whole journal, ${SEEDS} times`, { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await runSeed(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error })
      })
    }
  })
})
