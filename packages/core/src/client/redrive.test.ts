import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore, type NodeArguments } from '../index.ts'
import type { RunId } from '../model/ids.ts'

function latch() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** `j` has failed for good when all before it have, and is no dead letter. `c` is one, and `d` keeps the run alive. */
async function failedTwice() {
  const [ofC, ofD] = [latch(), latch()]
  let isBroken = true
  const fail = () => {
    throw new Error('broken')
  }
  const flow = createFlow('redriven', { failFast: false })
    .node('a', fail)
    .node('b', fail)
    .node('j', () => ({ output: 'j' }), { joinStrategy: 'any', anyFailure: 'ignore' })
    .node('c', async () => {
      await ofC.opened
      return isBroken ? fail() : { output: 'c' }
    })
    .node('d', async () => {
      await ofD.opened
      return { output: 'd' }
    })
    .edge('a', 'j')
    .edge('b', 'j')
  const store = new InMemoryRunStore()
  const runtime = new FlowRuntime({ flows: [flow], store })
  const handle = await runtime.start(flow, undefined, { runId: 'r' })
  const reaches = async (isThere: () => boolean) => {
    while (!isThere()) await settle()
  }
  await reaches(() => store.load('r' as RunId)?.error !== undefined)
  ofC.open()
  await reaches(() => store.load('r' as RunId)?.deadLetters.length === 1)
  isBroken = false
  return { runtime, handle, letGo: ofD.open }
}

describe('redriving a run that has failed for something else, too', () => {
  it('leaves that failure to decide how a live run ends', async () => {
    const { runtime, handle, letGo } = await failedTwice()
    await using _ = runtime
    const again = await handle.redrive()
    letGo()
    expect(await again.outcome()).toMatchObject({ status: 'failed', error: { code: 'PREDECESSOR_FAILED' } })
  })

  it('leaves it to decide how the new run of an ended one ends', async () => {
    const { runtime, handle, letGo } = await failedTwice()
    await using _ = runtime
    letGo()
    await handle.outcome()
    const again = await handle.redrive()
    expect(again.runId).toBe('r:redrive')
    expect(await again.outcome()).toMatchObject({ status: 'failed', error: { code: 'PREDECESSOR_FAILED' } })
  })
})

describe('a join behind redriven work', () => {
  it('starts by what has come from elsewhere, and does not wait for the redriven node', async () => {
    const ofB = latch()
    let isBroken = true
    const flow = createFlow('joined', { failFast: false })
      .node('a', async ({ waitForSignal }: NodeArguments) => {
        if (isBroken) throw new Error('broken')
        await waitForSignal('never')
      })
      .node('b', async () => {
        await ofB.opened
        return { output: 'b' }
      })
      .node('j', () => ({ output: 'j' }), { joinStrategy: 'any' })
      .waitForSignal('alive', { signal: 'end' })
      .edge('a', 'j')
      .edge('b', 'j')
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [flow], store })
    const handle = await runtime.start(flow, undefined, { runId: 'r' })
    const statusOf = (id: string) =>
      store.load('r' as RunId)?.instances.find(({ instanceId }) => instanceId === id)?.status
    while (statusOf('j') !== 'failed') await settle()
    ofB.open()
    while (statusOf('b') !== 'succeeded') await settle()
    isBroken = false

    await handle.redrive({ instanceId: 'a' })

    while (statusOf('j') !== 'succeeded') await settle()
    expect(statusOf('a')).not.toBe('failed')
    await handle.cancel()
  })
})
