import { expect, it } from 'vitest'
import { createFlow } from '../flow/create-flow.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { FlowRuntime } from '../runtime/flow-runtime.ts'

it.each([true, false])('tells node code the time of the clock it was given (with a store: %s)', async (hasStore) => {
  const clock = { now: () => 4_711, after: () => () => {} }
  const flow = createFlow('times').node('look', ({ now }) => ({ output: now() }))
  const store = hasStore ? { store: new InMemoryRunStore({ clock }) } : {}
  const runtime = new FlowRuntime({ clock, ...store })

  expect(await runtime.run(flow)).toMatchObject({ output: 4_711 })
})
