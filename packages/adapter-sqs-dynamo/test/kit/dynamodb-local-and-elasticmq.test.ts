/** The whole kit, all three ports and the adapter. */
import { startDynamo, startSqs } from '@baton/services'
import { conformance } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { awsSubject } from '../aws-subject.ts'

const dynamo = await startDynamo({ kind: 'dynamodb-local' })
const sqs = await startSqs({ kind: 'elasticmq' })
afterAll(async () => {
  await dynamo[Symbol.asyncDispose]()
  await sqs[Symbol.asyncDispose]()
})
const skipReason = dynamo.skipReason ?? sqs.skipReason

describe.skipIf(skipReason !== undefined)(skipReason ?? 'dynamodb-local and elasticmq', async () => {
  conformance(await awsSubject({ name: 'dynamodb-local and elasticmq', dynamo, sqs }))
})
