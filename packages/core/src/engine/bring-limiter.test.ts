import { expect, it } from 'vitest'
import { createFlow, FlowRuntime, type ILogger, InMemoryRunStore, type NodeArguments, type RunId } from '../index.ts'
import { RunMachine } from '../machine/run-machine.ts'
import type { Gate } from '../model/gate.ts'
import { isPlainObject } from '../model/json.ts'
import { newLimiter } from '../model/limiter.ts'
import type { NewRun } from '../model/run.ts'
import { systemClock } from '../ports/clock.ts'
import type { CreateResult } from '../ports/run-store.ts'
import { Courier } from './courier.ts'

const LIMITER = 'baton:limit:crowd:runs' as RunId

/** Takes a limiter that knows of few runs, and no other; its limiters move after four pieces of news for each of those. */
class SmallStore extends InMemoryRunStore {
  readonly #most: number
  refusals = 0

  constructor(most: number) {
    super({ newMachine: (run, atMs, options) => RunMachine.create(run, atMs, { ...options, limiterNews: 1 }) })
    this.#most = most
  }

  override create(run: NewRun): CreateResult {
    const { held = [], waiting = [] } = (isPlainObject(run.input) ? run.input : {}) as { [list: string]: unknown[] }
    if (held.length + waiting.length <= this.#most || this.summary(run.runId) !== undefined) return super.create(run)
    this.refusals += 1
    return { status: 'too-large', limitBytes: 100 }
  }
}

/** Ten runs, of which one at a time is under way, and ends when it is told. */
async function crowd(store: InMemoryRunStore) {
  const began: number[] = []
  const ends: (() => void)[] = []
  const flow = createFlow<number>('crowd', { concurrency: { limit: 1 } }).node(
    'work',
    async ({ input }: NodeArguments<number>) => {
      began.push(input)
      await new Promise<void>((resolve) => ends.push(resolve))
    },
  )
  const runtime = new FlowRuntime({ flows: [flow], store })
  const handles = []
  for (let index = 0; index < 10; index++) handles.push(await runtime.start(flow, index, { runId: `run-${index}` }))
  const endOne = async () => {
    while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve))
    ends.shift()?.()
  }
  return { runtime, handles, began, endOne }
}

it('goes on without those who wait where all are too many at once, and each has its turn in its place', async () => {
  const store = new SmallStore(1)
  const { runtime, handles, began, endOne } = await crowd(store)
  await using _ = runtime

  for (const handle of handles) {
    await endOne()
    await handle.result()
  }

  expect(store.refusals).toBeGreaterThan(0)
  expect(store.summary(`${LIMITER}:2` as RunId)).toBeDefined()
  expect(began).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

it('is kept where even those who have a slot are too many, and says so', async () => {
  const store = new SmallStore(0)
  const gate: Gate = { limiter: LIMITER, flowId: 'crowd', most: 1 }
  const errors: string[] = []
  const logger: ILogger = { log: (level, message) => void (level === 'error' && errors.push(message)) }
  store.create(newLimiter(gate))
  const tell = (type: 'slot-request' | 'slot-release', from: string) =>
    store.notify({ type, runId: LIMITER, from: from as RunId, gate, priority: 0 })
  tell('slot-request', 'a')
  while (tell('slot-request', 'b').status !== 'moved') tell('slot-release', 'b')
  const kept = () => store.due({ limit: 10, runId: LIMITER }).filter((item) => item.type === 'message')
  const start = kept().filter(({ message }) => message.body.type === 'start')

  await new Courier({ store, queue: undefined, clock: systemClock, logger }).deliverFound(start)

  expect(errors).toEqual(['a limiter is too large to go on'])
  expect(kept()).toEqual(expect.arrayContaining(start))
})
