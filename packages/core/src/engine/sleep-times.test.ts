import { expect, it } from 'vitest'
import { createFlow } from '../flow/create-flow.ts'
import { FlowRuntime } from '../runtime/flow-runtime.ts'

it.each(['1d', undefined, null, Number.NaN, -1])(
  'says what it was given in place of a time to sleep: %s',
  async (time) => {
    const flow = createFlow('sleepy').node('rest', async ({ sleep }) => {
      await sleep(time as number)
    })

    const result = await new FlowRuntime().run(flow)

    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_OPTION', message: `duration: not a time in milliseconds: ${time}` },
    })
  },
)
