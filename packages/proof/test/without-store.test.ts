/** The scenario file once more: by a worker with a store, and in this process without one. The same journal. */
import { InMemoryJobQueue, InMemoryRunStore, JsonSerializer } from '@baton/core'
import { TestClock } from '@baton/testing'
import { describe, expect, it } from 'vitest'
import { runLocally, StoredRuns } from '../src/same-journal.ts'
import { scenarios } from '../src/scenario.ts'

const inBoth = scenarios.filter(({ onlyStored }) => onlyStored !== true)

describe('the same scenario, with a store and without', () => {
  for (const { name, flow, input, start, expect: expected, drive, onlyTime } of inBoth) {
    it(`gives the same journal: ${name}`, async () => {
      const clock = new TestClock()
      const ports = { store: new InMemoryRunStore({ clock }), queue: new InMemoryJobQueue({ clock }), clock }
      const stored = new StoredRuns(ports, onlyTime === true ? 10 : undefined)

      const withStore = await stored.run(flow(), input, start, drive !== undefined)
      const without = await runLocally(flow(), input, clock, start)

      await stored.stop()
      expect(without).toEqual(withStore)
      // A run that waits for news gets none here, and is compared as far as it came.
      if (drive !== undefined) return
      expect(without.status).toBe(expected.status)
      if (expected.output !== undefined)
        expect(new JsonSerializer().decode(without.output as never)).toEqual(expected.output)
    })
  }
})
