/** A report every night in Berlin: over a change of the clocks, over days without a worker, and once because somebody asked. */
import { createFlow, InMemoryAdapter, type NodeArguments } from '@baton/core'
import { Schedules, withSchedules } from '@baton/schedule'
import { QuickClock } from './quick-clock.ts'

const DAY_MS = 24 * 3_600_000

interface Instant {
  readonly atMs: number
  readonly triggered?: boolean
}

const report = createFlow<string>('report').node('write', async ({ input, context }: NodeArguments<string>) => {
  const { atMs, triggered } = (await context.get<Instant>('schedule')) as Instant
  console.log(`  ${input}: ${inBerlin(atMs)}${triggered ? ', because somebody asked' : ''}`)
})

// Time flies here, so that nobody has to wait for the night. A program of yours has no clock of its own.
const clock = new QuickClock(Date.UTC(2026, 2, 27, 12))
const ports = new InMemoryAdapter({ runtimeOptions: { flows: [report] }, clock })
const { store, queue } = ports

function startWorker(): InMemoryAdapter {
  const worker = new InMemoryAdapter({ runtimeOptions: { flows: withSchedules([report]) }, clock, store, queue })
  worker.start()
  return worker
}

const schedules = new Schedules({ store, queue, clock })
const { nextAtMs } = await schedules.create({
  id: 'nightly',
  flow: report,
  input: 'sales',
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  catchUp: 'one',
})
console.log('the next three, with a night that has no 02:30:')
for (const atMs of nextAtMs.slice(0, 3)) console.log(`  ${inBerlin(atMs)}`)

console.log('three nights with a worker:')
const first = startWorker()
await clock.pass(3 * DAY_MS)
await clock.during(first.close())

console.log('three nights without one, and then it is back:')
await clock.pass(3 * DAY_MS)
const second = startWorker()
await clock.pass(60_000)

console.log('paused for two days, but not for the boss:')
await schedules.pause('nightly', 'stocktaking')
await clock.pass(DAY_MS)
await schedules.trigger('nightly')
await clock.pass(DAY_MS)
await schedules.unpause('nightly')
await clock.pass(DAY_MS)

const { startedCount, triggeredCount, skippedCount } = await schedules.get('nightly')
console.log(`started: ${startedCount}, asked for: ${triggeredCount}, left out: ${skippedCount}`)
await clock.during(second.close())

function inBerlin(atMs: number): string {
  const local = new Date(atMs).toLocaleString('sv-SE', {
    timeZone: 'Europe/Berlin',
    dateStyle: 'short',
    timeStyle: 'short',
  })
  return `${local} in Berlin, ${new Date(atMs).toISOString().slice(11, 16)} UTC`
}
