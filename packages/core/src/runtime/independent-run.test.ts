import { expect, it } from 'vitest'
import {
  createFlow,
  FlowRuntime,
  InMemoryRunStore,
  type NodeArguments,
  type NodeReturn,
  type RunId,
  type RunStatus,
} from '../index.ts'

const listening = createFlow('listening').node('listen', async ({ waitForSignal }: NodeArguments) => ({
  output: await waitForSignal('word'),
}))

/** Resolves when the run is in that status. */
async function reaches(store: InMemoryRunStore, runId: string, status: RunStatus) {
  for (;;) {
    const run = store.load(runId as RunId)
    if (run?.status === status) return run
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function starter(start: (args: NodeArguments) => Promise<NodeReturn<unknown>>) {
  const store = new InMemoryRunStore()
  const runtime = new FlowRuntime({ store, flows: [listening] })
  const flow = createFlow('starter').node('start', start)
  return { store, runtime, begin: () => runtime.start(flow, undefined, { runId: 'starter' }) }
}

it('a run that another one started for itself is nobody’s child, and goes on when the other is cancelled', async () => {
  const { store, runtime, begin } = starter(async ({ startRun, waitForSignal }) => {
    await startRun(listening, undefined, { runId: 'free', endSignal: 'over' })
    return { output: await waitForSignal('never') }
  })

  const handle = await begin()
  const free = await reaches(store, 'free', 'paused')
  await reaches(store, 'starter', 'paused')
  await handle.cancel()
  await reaches(store, 'starter', 'cancelled')

  expect(free.lineage.rootRunId).toBe('free')
  expect(store.load('starter' as RunId)?.children).toEqual([])
  expect(store.load('free' as RunId)?.status).toBe('paused')
  await runtime.get('free').signal('word', 7)
  await expect(runtime.get('free').result()).resolves.toBe(7)
})

it('tells who started it that it could not start, where its id is another run’s', async () => {
  const { runtime, begin } = starter(async ({ startRun, waitForSignal }) => {
    await startRun(listening, 'mine', { runId: 'taken', endSignal: 'over' })
    return { output: await waitForSignal('over') }
  })
  await runtime.start(listening, 'yours', { runId: 'taken' })

  const handle = await begin()

  await expect(handle.result()).resolves.toEqual({ runId: 'taken', status: 'failed' })
})

it('refuses what it does not know, before anything has started', async () => {
  const { begin } = starter(async ({ startRun }) => {
    const asked = { endSignl: 'over' } as object
    return { output: await startRun(listening, undefined, asked) }
  })

  const outcome = await (await begin()).outcome()

  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'INVALID_OPTION' } })
})
