/** Journals while Kafka is away. */
import { startKafka } from '@baton/services'
import { lineFlow } from '@baton/testing'
import { expect, it } from 'vitest'
import { TopicWorld, withoutDoubles } from './topic-world.ts'

it('a broker that is away holds up no run, and gets all of it when it is back', { timeout: 120_000 }, async ({
  skip,
}) => {
  await using kafka = await startKafka({ nodes: 1 })
  if (kafka.skipReason !== undefined) return skip(kafka.skipReason)
  await using world = await TopicWorld.on(kafka.brokers)
  const flow = lineFlow(5)
  world.worker(flow, { journalSink: world.sink({ timeoutMs: 1_000 }) })
  const runIds: string[] = []
  const runs = async (count: number) => {
    for (; count > 0; count--) {
      const handle = await world.baton(flow).start(flow, 0)
      await handle.result()
      runIds.push(handle.runId)
    }
  }
  await runs(5)
  await world.untilPublished(runIds)
  await kafka.kill()
  const killedAtMs = Date.now()
  await runs(100)
  expect(Date.now() - killedAtMs).toBeLessThan(5_000)
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  await kafka.restart()
  await runs(5)
  await world.untilPublished(runIds, 60_000)

  const published = withoutDoubles(await world.messages())
  for (const runId of runIds) {
    const journal = JSON.parse(JSON.stringify(await world.journalOf(runId))) as unknown
    expect(published.get(runId)?.map(({ event }) => event)).toEqual(journal)
  }
  expect(world.lines.filter(({ level }) => level === 'warn' || level === 'error').length).toBeLessThan(5)
})

it('a topic that is not there holds up no run either, and is said once', { timeout: 60_000 }, async ({ skip }) => {
  await using kafka = await startKafka({ nodes: 1 })
  if (kafka.skipReason !== undefined) return skip(kafka.skipReason)
  await using world = await TopicWorld.on(kafka.brokers)
  const flow = lineFlow(5)
  world.worker(flow, { journalSink: world.sink({ topic: 'nowhere', timeoutMs: 1_000 }) })
  for (let run = 0; run < 20; run++) await (await world.baton(flow).start(flow, 0)).result()
  await new Promise((resolve) => setTimeout(resolve, 5_000))

  expect(world.lines.filter(({ level }) => level === 'warn' || level === 'error')).toHaveLength(1)
})
