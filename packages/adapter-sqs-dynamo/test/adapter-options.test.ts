/** What `SqsAdapter` can see to be wrong before anything is asked of AWS. */
import { createFlow, InMemoryJobQueue } from '@baton/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DynamoRunStore, SqsAdapter, type SqsAdapterOptions } from '../src/index.ts'

const flow = createFlow('greet').node('greet', () => ({ output: 'hello' }))
const region = { region: 'eu-west-1' }

function open(options: Partial<SqsAdapterOptions>): SqsAdapter {
  const adapter = new SqsAdapter({ dynamo: region, sqs: region, runtimeOptions: { flows: [flow] }, ...options })
  onTestFinished(() => adapter.close())
  return adapter
}

const refusal = (field: string, hint: RegExp) =>
  expect.objectContaining({ code: 'INVALID_OPTION', field, hint: expect.stringMatching(hint) })

describe('a mistake', () => {
  it.each<[object, string, RegExp]>([
    [{ queue: 'baton' }, 'queue', /queueName: 'baton'/],
    [{ queueName: 'no queue' }, 'queueName', /ARN/],
    [{ dynamo: 'eu-west-1' }, 'dynamo', /region/],
    [{ sqs: 7 }, 'sqs', /region/],
    [{ table: 'arn:aws:dynamodb:eu-west-1:123456789012:table/baton' }, 'table', /behind table\//],
  ])('is told by the name that the option has here: %o', (options, field, hint) => {
    expect(() => open(options)).toThrow(refusal(field, hint))
  })

  it('is not to give no options to what needs none', async () => {
    await new DynamoRunStore().close()
  })
})

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
