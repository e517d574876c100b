import { BatonClient, createFlow, InMemoryAdapter, type NodeArguments } from '@baton/core'
import { expect, it } from 'vitest'
import { TestClock } from '../src/test-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const remind = createFlow<string>('remind').node('remind', ({ input }: NodeArguments<string>) => ({ output: input }))
const hang = createFlow('hang').node('wait', async ({ waitForSignal }: NodeArguments) => {
  await waitForSignal('never')
})

/** A client and a worker, on a clock that the test moves. */
class World implements AsyncDisposable {
  readonly clock = new TestClock()
  readonly startAtMs = this.clock.now() + HOUR
  readonly #worker = new InMemoryAdapter({ runtimeOptions: { flows: [remind, hang] }, clock: this.clock })
  readonly client = new BatonClient({
    store: this.#worker.store,
    queue: this.#worker.queue,
    clock: this.clock,
    flows: [remind, hang],
  })

  constructor() {
    this.#worker.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clock.until(this.#worker.close())
  }
}

it('a run that starts later is there at once, and starts when its time has come', async () => {
  await using world = new World()
  const { client, clock, startAtMs } = world

  const handle = await client.start(remind, 'the plants', { startAtMs, runId: 'r' })
  await clock.advance(HOUR - 1)
  expect(await handle.summary()).toMatchObject({ status: 'pending', startAtMs })
  await clock.advance(MINUTE)

  expect(await handle.status()).toBe('completed')
})

it('a run that starts later is the same run when it is started again', async () => {
  await using world = new World()
  const { client, startAtMs } = world
  await client.start(remind, 'the plants', { startAtMs, runId: 'r' })

  await client.start(remind, 'the plants', { startAtMs: startAtMs + 5, runId: 'r' })

  expect((await client.listRuns()).runs).toHaveLength(1)
  await expect(client.start(remind, 'the cat', { startAtMs, runId: 'r' })).rejects.toMatchObject({ code: 'RUN_EXISTS' })
})

it('a run that is cancelled before its start never starts', async () => {
  await using world = new World()
  const { client, clock, startAtMs } = world
  const handle = await client.start(remind, 'the plants', { startAtMs })

  expect(await handle.cancel('it rains')).toBe(true)
  expect(await handle.status()).toBe('cancelled')
  await clock.advance(2 * HOUR)

  expect((await handle.record()).instances).toMatchObject([{ nodeId: 'remind', attempt: 0 }])
})

it('the deadline of a run that starts later counts from its start', async () => {
  await using world = new World()
  const { client, clock, startAtMs } = world
  const handle = await client.start(hang, undefined, { startAtMs, deadlineMs: 10 * MINUTE })

  await clock.advance(HOUR + 9 * MINUTE)
  expect(await handle.status()).toBe('paused')
  await clock.advance(2 * MINUTE)

  expect(await handle.outcome()).toMatchObject({ status: 'failed', error: { code: 'RUN_TIMEOUT' } })
})
