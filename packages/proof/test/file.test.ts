/** The scenario file on files, and random flows by a worker on files and in this process without a store. */
import { InMemoryJobQueue } from '@baton/core'
import { randomFlow } from '@baton/testing'
import { describe, expect, it } from 'vitest'
import { runLocally, StoredRuns, withoutTimes } from '../src/same-journal.ts'
import { fileSubject } from '../src/subjects/files.ts'
import { runScenarios } from './run-scenarios.ts'

runScenarios(fileSubject)

const GRAPHS = 200

describe('a random flow, on files and without a store', () => {
  it(`gives the same journal and the same result, ${GRAPHS} times`, { timeout: 120_000 }, async () => {
    await using world = await fileSubject.create({
      redispatchMs: 60_000,
      redispatchMaxMs: 60_000,
      visibilityMs: 60_000,
    })
    // The order of jobs is no part of what a queue of files promises, and would show.
    const stored = new StoredRuns({ store: world.store, queue: new InMemoryJobQueue() })

    for (let seed = 1; seed <= GRAPHS; seed++) {
      // Waits are as long as their clocks say, and two of them may end in another order: flows without any.
      const { flow, input } = randomFlow(seed, { timed: false })
      expect(withoutTimes(await stored.run(flow, input)), `seed ${seed}`).toEqual(
        withoutTimes(await runLocally(flow, input)),
      )
    }
    await stored.stop()
  })
})
