/** 10,000 random flows, each run by a worker with a store and in this process without one: the same journal. */
import { InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import { randomFlow, TestClock } from '@baton/testing'
import { describe, expect, it } from 'vitest'
import { runLocally, StoredRuns } from '../src/same-journal.ts'

const GRAPHS = Number(process.env.BATON_RANDOM_GRAPHS ?? 10_000)
/** A registry keeps all flows it has seen; a new one now and then keeps the memory of this test small. */
const PER_WORKER = 250

describe('a random flow, with a store and without', () => {
  it(`gives the same journal and the same result, ${GRAPHS} times`, { timeout: 120_000 }, async () => {
    const statuses = new Map<string, number>()

    for (let seed = 1; seed <= GRAPHS; ) {
      const clock = new TestClock()
      const stored = new StoredRuns({
        store: new InMemoryRunStore({ clock }),
        queue: new InMemoryJobQueue({ clock }),
        clock,
      })
      for (let count = 0; count < PER_WORKER && seed <= GRAPHS; count++, seed++) {
        const { flow, input } = randomFlow(seed)
        const withStore = await stored.run(flow, input)
        const without = await runLocally(flow, input, clock)
        // Compared as texts first: the comparison that explains costs much more than the runs.
        if (JSON.stringify(without) !== JSON.stringify(withStore)) expect(without, `seed ${seed}`).toEqual(withStore)
        statuses.set(withStore.status, (statuses.get(withStore.status) ?? 0) + 1)
      }
      await stored.stop()
    }

    // Both ends are well represented, or the flows would prove little.
    expect([...statuses.keys()].sort()).toEqual(['completed', 'failed'])
    for (const count of statuses.values()) expect(count).toBeGreaterThan(GRAPHS / 10)
  })
})
