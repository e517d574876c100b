import { startDynamo, startSqs } from '@baton/services'
import { afterAll, describe } from 'vitest'
import { awsSubject } from '../src/index.ts'
import { runScenarios } from './run-scenarios.ts'

const pairs = [
  { dynamo: await startDynamo({ kind: 'dynoxide' }), sqs: await startSqs({ kind: 'fauxqs' }) },
  { dynamo: await startDynamo({ kind: 'dynamodb-local' }), sqs: await startSqs({ kind: 'elasticmq' }) },
]
const names = ['Dynoxide and fauxqs', 'DynamoDB Local and ElasticMQ']
afterAll(async () => {
  for (const { dynamo, sqs } of pairs) {
    await dynamo[Symbol.asyncDispose]()
    await sqs[Symbol.asyncDispose]()
  }
})

for (const [index, pair] of pairs.entries()) {
  const { skipReason = pair.sqs.skipReason } = pair.dynamo
  const name = names[index] ?? ''
  describe.skipIf(skipReason !== undefined)(skipReason ?? `servers that play AWS: ${name}`, () => {
    runScenarios(awsSubject(name, pair))
  })
}
