/** The whole kit, all three ports and the adapter. */
import { startDynamo, startSqs } from '@baton/services'
import { conformance } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { awsSubject } from '../aws-subject.ts'

const dynamo = await startDynamo({ kind: 'dynoxide' })
const sqs = await startSqs({ kind: 'fauxqs' })
afterAll(async () => {
  await dynamo[Symbol.asyncDispose]()
  await sqs[Symbol.asyncDispose]()
})
const skipReason = dynamo.skipReason ?? sqs.skipReason

describe.skipIf(skipReason !== undefined)(skipReason ?? 'dynoxide and fauxqs', async () => {
  conformance(await awsSubject({ name: 'dynoxide and fauxqs', dynamo, sqs }))
})
