/** What the kit asks of an engine on Kafka, beside the store in memory; `npm run matrix` has the others. */

import { startKafka } from '@baton/services'
import { adapterConformance } from '@baton/testing'
import { afterAll, describe } from 'vitest'
import { inMemory, kafkaSubject } from '../kafka-world.ts'

const kafka = await startKafka()
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'on Kafka', () => {
  if (kafka.skipReason !== undefined) return
  adapterConformance(
    kafkaSubject({ name: 'Kafka', durability: 'none', brokers: kafka.brokers, openOthers: inMemory() }),
  )
})
