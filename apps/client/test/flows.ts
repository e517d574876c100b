/** For the process tests. */
import { createFlow, FatalError, type NodeArguments } from '@baton/core'

const greet = createFlow<string>('greet', { version: '2' }).node('greet', ({ input }: NodeArguments<string>) => ({
  output: { text: `Hello, ${input}` },
}))

const fail = createFlow('fail').node('fall', () => {
  throw new FatalError('on its face')
})

const ask = createFlow('ask').approval('boss', { request: 'May we?' })

const listen = createFlow('listen').waitForSignal('hear', { signal: 'paid' })

const oneByOne = createFlow('one-by-one', { concurrency: { limit: 1 } }).waitForSignal('hear', { signal: 'paid' })

export const flows = [greet, fail, ask, listen, oneByOne]
