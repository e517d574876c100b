import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'

const greet = createFlow<{ readonly name: string }>('greet')
  .node('hello', ({ input }: NodeArguments<{ readonly name: string }>) => ({ output: `Hello, ${input.name}` }))
  .node('loud', ({ input }: NodeArguments<string>) => ({ output: `${input.toUpperCase()}!` }))
  .edge('hello', 'loud')

const result = await new FlowRuntime().run(greet, { name: 'Ada' })
console.log(result.status === 'completed' ? result.output : result) // HELLO, ADA!
