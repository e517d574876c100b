import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore, type NodeArguments } from '../index.ts'

describe('a worker whose store gives no answer', () => {
  it('stops soon after its time, and says what it holds', async () => {
    let begun = () => {}
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const flow = createFlow('slow').node('work', async ({ signal }: NodeArguments) => {
      begun()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    const store = new InMemoryRunStore()
    const said: unknown[] = []
    const runtime = new FlowRuntime({
      store,
      worker: { stopWithinMs: 100, abandonAfterMs: 50 },
      logger: { log: (level, message, { held }) => void said.push(level === 'warn' ? [message, held] : []) },
    })
    const { runId } = await runtime.start(flow)
    await isBegun
    Object.assign(store, { commit: () => new Promise(() => {}) })

    const askedAtMs = performance.now()
    await runtime.stop()

    expect(performance.now() - askedAtMs).toBeLessThan(5_000)
    expect(said).toContainEqual([
      'stopped without an answer of the store or the queue: claims held run out by their leases',
      [{ runId, instanceId: 'work' }],
    ])
  })
})
