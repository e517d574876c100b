/** The smallest flow that does something: two nodes, one after the other, in this process. */
import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'

const hello = createFlow<string>('hello')
  .node('greet', ({ input }: NodeArguments<string>) => ({ output: `Hello, ${input}!` }))
  .node('shout', ({ input }: NodeArguments<string>) => ({ output: input.toUpperCase() }))
  .edge('greet', 'shout')

const result = await new FlowRuntime().run(hello, 'Ada')

// A run that fails is a value as well: only `completed` has an output.
console.log(result.status === 'completed' ? result.output : result)
