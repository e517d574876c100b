/** What the kit asks of a job queue. */
import { startSqs } from '@baton/services'
import { jobQueueConformance } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { queueSubject } from '../../sqs-world.ts'

const sqs = await startSqs({ kind: 'elasticmq' })
afterAll(() => sqs[Symbol.asyncDispose]())

describe.skipIf(sqs.skipReason !== undefined)(sqs.skipReason ?? 'on elasticmq', () => {
  jobQueueConformance(queueSubject('a FIFO queue', sqs, true))
})
