import type { RunEvent } from '@baton/core'
import { expect, it } from 'vitest'
import { brokenRules } from '../../src/flow/checks/journal-rules.ts'
import { testFlow } from '../../src/flow/index.ts'
import { subscription } from './subscription.ts'

async function goodJournal(): Promise<RunEvent[]> {
  const run = await testFlow(subscription).start({ email: 'ada@example.org', euros: 20 })
  await run.result()
  return [...run.journal.events]
}

/** With one more event, numbered as if it belonged there. */
function withAgain(events: readonly RunEvent[], type: RunEvent['type'], change = {}): RunEvent[] {
  const event = events.find((each) => each.type === type) as RunEvent
  return [...events, { ...event, ...change, seq: events.length + 1 } as RunEvent]
}

it('finds nothing in a journal as it should be', async () => {
  expect(brokenRules(await goodJournal())).toEqual([])
})

it.each<[RunEvent['type'], object, string]>([
  ['node-succeeded', { fence: 99 }, 'open was settled twice'],
  ['node-slept', {}, 'one attempt of open was settled twice'],
  ['step-recorded', {}, 'step ticket of open was recorded twice'],
  ['run-completed', {}, 'it ended twice'],
])('finds a second %s', async (type, change, what) => {
  expect(brokenRules(withAgain(await goodJournal(), type, change))).toContain(what)
})

it('finds a gap', async () => {
  const events = await goodJournal()

  expect(brokenRules([...events.slice(0, 3), ...events.slice(4)])).toContain('event 4 has the number 5')
})
