/** For the process tests: a flow that any store can hand over. */
import { createFlow, type NodeArguments } from '@baton/core'

const greeting = createFlow<string>('greeting').node('greet', ({ input }: NodeArguments<string>) => ({
  output: `Hello, ${input}`,
}))

export const flows = [greeting]
