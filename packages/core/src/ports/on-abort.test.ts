import { expect, it } from 'vitest'
import { BatonClient } from '../client/client.ts'
import { createFlow } from '../flow/create-flow.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { FlowRuntime } from '../runtime/flow-runtime.ts'
import { systemClock, wait } from './clock.ts'
import { onAbort } from './on-abort.ts'

/** The listeners on a signal, as its owner would count them. */
function counted() {
  const stop = new AbortController()
  const { signal } = stop
  let listeners = 0
  let most = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1
    most = Math.max(most, listeners)
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1
    remove(...args)
  }
  return { stop, signal, listeners: () => listeners, most: () => most }
}

async function warningsWhile(work: () => Promise<unknown>): Promise<readonly string[]> {
  const warnings: string[] = []
  const note = ({ name }: Error) => void warnings.push(name)
  process.on('warning', note)
  await work()
  // Warnings are told of in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('warning', note)
  return warnings
}

it('has one listener for all who wait for a signal, and none when nobody does', () => {
  const { stop, signal, listeners, most } = counted()
  const called: string[] = []
  const callback = () => void called.push('same')
  const ends = [callback, callback, () => called.push('other')].map((each) => onAbort(signal, each))
  expect(listeners()).toBe(1)
  ends[0]?.()
  ends[0]?.()
  expect(listeners()).toBe(1)
  for (const end of ends) end()
  expect(listeners()).toBe(0)

  onAbort(signal, callback)
  onAbort(signal, () => called.push('other'))()
  stop.abort()
  expect(called).toEqual(['same'])
  expect(most()).toBe(1)
  onAbort(signal, callback)
  expect(called).toEqual(['same'])
})

it('does not call what another callback has called off, and calls all others where one throws', () => {
  const { stop, signal } = counted()
  const called: number[] = []
  // A signal without listeners for errors would end the process; the listener is called as the signal would.
  let fire = () => {}
  signal.addEventListener = (_type: string, listener: unknown) => {
    fire = listener as () => void
  }
  onAbort(signal, () => {
    called.push(1)
    calledOff()
    throw new Error('first')
  })
  const calledOff = onAbort(signal, () => called.push(2))
  onAbort(signal, () => called.push(3))
  expect(() => fire()).toThrow('first')
  expect(called).toEqual([1, 3])
  stop.abort()
})

it('lets one signal serve fifty waits of each kind without a warning', async () => {
  const flow = createFlow('patient').node('a', ({ sleep }) => sleep(60_000))
  const client = new BatonClient({ store: new InMemoryRunStore(), flows: [flow] })
  const runtime = new FlowRuntime({ flows: [flow] })
  const { stop, signal, listeners } = counted()
  const many = async (begin: () => Promise<unknown>) =>
    Promise.all(Array.from({ length: 50 }, () => begin().catch(() => 'stopped')))
  const handle = await client.start(flow, {})

  const warnings = await warningsWhile(async () => {
    const waits = [
      many(() => handle.result({ signal })),
      many(() => handle.result({ signal, timeoutMs: 60_000 })),
      many(async () => {
        for await (const _ of handle.stream({ signal }));
      }),
      many(() => runtime.run(flow, {}, { signal })),
      many(() => wait(systemClock, 60_000, signal)),
    ]
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(listeners()).toBe(1)
    stop.abort()
    await Promise.all(waits)
  })

  expect(warnings).toEqual([])
  expect(listeners()).toBe(0)
})
