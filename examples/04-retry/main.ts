/** Asks for three prices: one comes at the third attempt, one is remembered, and one cannot be had. */
import { FlowRuntime } from '@baton/core'
import { prices } from './flow.ts'

const runtime = new FlowRuntime()

for (const what of ['tea', 'cake', 'stone']) {
  const result = await runtime.run(prices, what)
  // A run that fails is a value as well.
  if (result.status === 'completed') console.log(result.output)
  if (result.status === 'failed') console.log(`${what}: none, ${result.error.message}`)
}
