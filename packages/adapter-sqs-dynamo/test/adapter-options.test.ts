/** What `SqsAdapter` can see to be wrong before anything is asked of AWS. */
import { createFlow, InMemoryJobQueue } from '@baton/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SqsAdapter, type SqsAdapterOptions } from '../src/index.ts'

const flow = createFlow('greet').node('greet', () => ({ output: 'hello' }))
const region = { region: 'eu-west-1' }

function open(options: Partial<SqsAdapterOptions>): SqsAdapter {
  const adapter = new SqsAdapter({ dynamo: region, sqs: region, runtimeOptions: { flows: [flow] }, ...options })
  onTestFinished(() => adapter.close())
  return adapter
}

const refusal = (field: string, hint: RegExp) =>
  expect.objectContaining({ code: 'INVALID_OPTION', field, hint: expect.stringMatching(hint) })

describe('a store with a prefix', () => {
  it('needs a queue of its own: that of the table has the jobs of other stores', () => {
    expect(() => open({ table: 'baton', prefix: 'staging' })).toThrow(
      refusal('queueName', /queueName: 'baton-staging'/),
    )
  })

  it.each([{ queueName: 'staging' }, { queueName: 'baton' }, { queue: new InMemoryJobQueue() }, { prefix: 'baton' }])(
    'is content with one that is named, whichever it is: %o',
    (options) => {
      expect(() => open({ prefix: 'staging', ...options })).not.toThrow()
    },
  )
})
