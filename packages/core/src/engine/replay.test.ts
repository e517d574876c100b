import { describe, expect, it } from 'vitest'
import { createFlow, FlowRuntime, InMemoryRunStore, type NodeArguments } from '../index.ts'

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Two branches of two steps each, side by side; the one that is slow at first is as fast as the other afterwards. */
function branches(names: { readonly load: string; readonly save: string }[]) {
  let tries = 0
  return createFlow('branches').node(
    'work',
    async ({ step }: NodeArguments) => {
      tries += 1
      const output = await Promise.all(
        ['slow', 'fast'].map(async (branch, index) => {
          const { load = '', save = '' } = names[index] ?? {}
          const loaded = await step(load, async () => {
            await later(tries === 1 && branch === 'slow' ? 20 : 1)
            return branch
          })
          return step(save, () => `saved ${loaded}`)
        }),
      )
      if (tries === 1) throw new Error('once more')
      return { output }
    },
    { retry: { attempts: 2, delayMs: 1 } },
  )
}

describe('steps of branches that run side by side', () => {
  const same = { load: 'load', save: 'save' }
  const own = [
    { load: 'load-1', save: 'save-1' },
    { load: 'load-2', save: 'save-2' },
  ]

  it.each([
    ['the same names', [same, same]],
    ['names of their own', own],
  ])('are fed back to the branch that they were recorded for: %s', async (_, names) => {
    const output = ['saved slow', 'saved fast']

    expect(await new FlowRuntime().run(branches(names))).toMatchObject({ status: 'completed', output })
    await using runtime = new FlowRuntime({ store: new InMemoryRunStore() })
    expect(await runtime.run(branches(names))).toMatchObject({ status: 'completed', output })
  })

  it('refuse what waits inside of them', async () => {
    const flow = createFlow('nested').node('work', async ({ step, sleep }: NodeArguments) => {
      await step('outer', () => sleep(1))
    })

    expect(await new FlowRuntime().run(flow)).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_OPTION', message: expect.stringContaining('inside a step') },
    })
  })
})
