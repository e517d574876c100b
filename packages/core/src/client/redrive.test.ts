import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore, type NodeArguments } from '../index.ts'
import type { InstanceId, RunId } from '../model/ids.ts'

function latch() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

type Letter = 'a' | 'b' | 'c'

/** `j` fails for good when `a` and `b` have, `c` by itself, and `d` keeps the run alive. */
async function failedTwice(order: readonly ('c' | 'j')[]) {
  const latches = { c: latch(), j: latch(), d: latch() }
  const broken = new Set<Letter>(['a', 'b', 'c'])
  const ran: string[] = []
  const node = (id: Letter, of: 'c' | 'j') => async () => {
    await latches[of].opened
    ran.push(id)
    if (broken.has(id)) throw new Error(`${id} is broken`)
    return { output: id }
  }
  const flow = createFlow('redriven', { failFast: false })
    .node('a', node('a', 'j'))
    .node('b', node('b', 'j'))
    .node('j', ({ input }: NodeArguments) => ({ output: input }), { joinStrategy: 'any', anyFailure: 'ignore' })
    .node('c', node('c', 'c'))
    .node('d', async () => {
      await latches.d.opened
      return { output: 'd' }
    })
    .edge('a', 'j')
    .edge('b', 'j')
  const store = new InMemoryRunStore()
  const runtime = new FlowRuntime({ flows: [flow], store })
  const handle = await runtime.start(flow, undefined, { runId: 'r' })
  const statusOf = (id: string) =>
    store.load('r' as RunId)?.instances.find(({ instanceId }) => instanceId === id)?.status
  for (const id of order) {
    latches[id].open()
    while (statusOf(id) !== 'failed') await settle()
  }
  return { runtime, handle, broken, ran, letGo: latches.d.open }
}

describe('redriving a run that has failed for more than one thing', () => {
  it.each([[['j', 'c']], [['c', 'j']]] as const)(
    'leaves the others to decide how a live run ends: %j',
    async (order) => {
      const { runtime, handle, broken, letGo } = await failedTwice(order)
      await using _ = runtime
      broken.clear()

      const again = await handle.redrive({ instanceId: 'c' as InstanceId })

      letGo()
      expect(await again.outcome()).toMatchObject({ status: 'failed', error: { code: 'PREDECESSOR_FAILED' } })
    },
  )

  it('completes a live run whose failed work is all done over', async () => {
    const { runtime, handle, broken, letGo } = await failedTwice(['c', 'j'])
    await using _ = runtime
    expect((await handle.record()).deadLetters.map(({ instanceId }) => instanceId)).toEqual(['c', 'a', 'b'])
    broken.clear()

    expect(await handle.redrive()).toBe(handle)

    letGo()
    expect(await handle.outcome()).toMatchObject({ status: 'completed', output: { c: 'c', d: 'd' } })
    expect((await handle.record()).deadLetters).toEqual([])
  })

  it('completes the new run of an ended one that a join had failed for which all before it had failed', async () => {
    const { runtime, handle, broken, ran, letGo } = await failedTwice(['j', 'c'])
    await using _ = runtime
    letGo()
    expect(await handle.outcome()).toMatchObject({ status: 'failed', error: { code: 'PREDECESSOR_FAILED' } })
    broken.delete('a')
    broken.delete('c')

    const again = await handle.redrive()

    expect(again.runId).toBe('r:redrive')
    expect(await again.outcome()).toMatchObject({ status: 'completed', output: { j: 'a', c: 'c', d: 'd' } })
    expect(ran.filter((id) => id === 'a')).toHaveLength(2)
    expect((await again.record()).deadLetters).toEqual([])
  })

  it('opens all dead letters of a live run again, or none', async () => {
    const { runtime, handle, broken, letGo } = await failedTwice(['c', 'j'])
    await using _ = runtime
    broken.clear()

    const answers = await Promise.allSettled([handle.redrive(), handle.redrive()])

    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(answers[1]).toMatchObject({ reason: { code: 'NOT_REDRIVABLE', field: 'runId' } })
    letGo()
    expect(await handle.outcome()).toMatchObject({ status: 'completed' })
    const reopened = []
    for await (const event of handle.stream()) if (event.type === 'node-reopened') reopened.push(event.instanceId)
    expect(reopened).toEqual(['c', 'a', 'b'])
  })
})

describe('redriving a run that had begun with failed work', () => {
  /** `c` has failed before the second run begins, and is taken until `d` leads elsewhere, or fails as well. */
  async function begunWithAFailure(fails: (id: string) => boolean) {
    const latches = new Map(['d', 'x'].map((id) => [id, latch()]))
    const ran: string[] = []
    const node = (id: string, action?: string) => async () => {
      await latches.get(id)?.opened
      ran.push(id)
      if (fails(id)) throw new Error(`${id} is broken`)
      return action === undefined ? { output: id } : { output: id, action }
    }
    const flow = createFlow('again')
      .node('c', node('c'))
      .node('d', node('d', 'elsewhere'))
      .node('x', node('x'))
      .node('j', ({ input }: NodeArguments) => ({ output: input }), { joinStrategy: 'any', anyFailure: 'ignore' })
      .edge('c', 'j')
      .edge('d', 'j', { action: 'on' })
    const store = new InMemoryRunStore()
    const runtime = new FlowRuntime({ flows: [flow], store, concurrency: 3 })
    const handle = await runtime.start(flow, undefined, { runId: 'r' })
    const statusOf = (id: string) =>
      store.load('r' as RunId)?.instances.find(({ instanceId }) => instanceId === id)?.status
    for (const id of ['c', 'x', 'd']) {
      latches.get(id)?.open()
      while (statusOf(id) === 'claimed' || statusOf(id) === 'ready') await settle()
    }
    return { runtime, handle, ran }
  }

  it('does that work over from the beginning, where a join has failed for it since', async () => {
    const broken = new Set(['c', 'x'])
    const { runtime, handle, ran } = await begunWithAFailure((id) => broken.has(id))
    await using _ = runtime
    expect(await handle.outcome()).toMatchObject({ status: 'failed', error: { message: 'x is broken' } })
    broken.delete('x')
    const second = await handle.redrive()
    expect(await second.outcome()).toMatchObject({ status: 'failed', error: { code: 'PREDECESSOR_FAILED' } })
    expect((await second.record()).deadLetters.map(({ instanceId }) => instanceId)).toEqual(['c'])
    broken.clear()

    const third = await second.redrive()

    expect(await third.outcome()).toMatchObject({ status: 'completed', output: { j: 'c', x: 'x' } })
    expect(ran.filter((id) => id === 'c')).toHaveLength(2)
    expect((await third.record()).deadLetters).toEqual([])
  })

  it('does it over together with what has failed in the run itself', async () => {
    const broken = new Set(['c', 'x'])
    const { runtime, handle, ran } = await begunWithAFailure((id) => broken.has(id))
    await using _ = runtime
    await handle.outcome()
    broken.delete('x')
    broken.add('d')
    const second = await handle.redrive()
    await second.outcome()
    expect((await second.record()).deadLetters.map(({ instanceId }) => instanceId).sort()).toEqual(['c', 'd'])
    broken.clear()

    const third = await second.redrive()

    expect(await third.outcome()).toMatchObject({ status: 'completed', output: { j: 'c' } })
    expect(ran.filter((id) => id === 'c')).toHaveLength(2)
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

describe('a map that is redriven', () => {
  const listed = () => ({ output: [0, 1, 2] })

  it('gathers again where its items have all succeeded, and what failed is what was made of them', async () => {
    let isBroken = true
    const ran: number[] = []
    const flow = createFlow('gathering')
      .node('list', listed)
      .map('each', ({ input }: NodeArguments<number>) => {
        ran.push(input)
        return { output: input }
      })
      .node('after', ({ input }: NodeArguments) => ({ output: input }))
      .edge('list', 'each')
      .edge('each', 'after', {
        condition: () => {
          if (isBroken) throw new Error('broken')
          return true
        },
      })
    await using runtime = new FlowRuntime({ flows: [flow], store: new InMemoryRunStore() })
    const handle = await runtime.start(flow, undefined, { runId: 'r' })
    expect(await handle.outcome()).toMatchObject({ status: 'failed' })
    isBroken = false

    expect(await (await handle.redrive()).outcome()).toMatchObject({ status: 'completed', output: [0, 1, 2] })

    expect(ran.sort()).toEqual([0, 1, 2])
  })

  it('does not do over an item that has succeeded when the map had failed already', async () => {
    const ofLast = latch()
    let isBroken = true
    const ran: number[] = []
    const flow = createFlow('late', { failFast: false })
      .node('list', listed)
      .map(
        'each',
        async ({ input }: NodeArguments<number>) => {
          ran.push(input)
          if (input === 0 && isBroken) throw new Error('broken')
          if (input === 1) await ofLast.opened
          return { output: input }
        },
        { concurrency: 2 },
      )
      .waitForSignal('alive', { signal: 'end' })
      .edge('list', 'each')
    const store = new InMemoryRunStore()
    await using runtime = new FlowRuntime({ flows: [flow], store })
    const handle = await runtime.start(flow, undefined, { runId: 'r' })
    const statusOf = (id: string) =>
      store.load('r' as RunId)?.instances.find(({ instanceId }) => instanceId === id)?.status
    while (statusOf('each') !== 'failed') await settle()
    await expect(handle.redrive()).rejects.toMatchObject({ code: 'NOT_REDRIVABLE' })
    ofLast.open()
    while (statusOf('each[1]') !== 'succeeded') await settle()
    isBroken = false

    await handle.redrive()
    await handle.signal('end')

    expect(await handle.outcome()).toMatchObject({ status: 'completed', output: { each: [0, 1, 2] } })
    expect(ran.sort()).toEqual([0, 0, 1, 2])
  })
})
