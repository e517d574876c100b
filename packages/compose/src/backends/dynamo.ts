/** `dynamodb:` URLs: runs and locks in one table of DynamoDB; without a queue of another URL, jobs in a queue of its name. */
import { BatonError } from '@baton/core'
import { type TablePlace, tablePlaceOf } from '../aws-url.ts'
import { clientOf, inWordsOfUrl, loadAws } from './aws.ts'
import type { Backend } from './backend.ts'
import { sqs } from './sqs.ts'

export const dynamo: Backend = {
  async check(address, look) {
    if (look.part === 'queue') return sqs.check(address, look)
    const adapter = await loadAws(address)
    const place = tablePlaceOf(address)
    const { DynamoCoordinationStore } = adapter
    // A read that has every right the store needs to be opened. Whether the table is there shows as well.
    const reader = new DynamoCoordinationStore(portOptions(place))
    try {
      await reader.get('is-there')
    } catch (error) {
      if (place.create && !look.mustExist && isAbsent(error)) return
      throw inWordsOfUrl(error, address, place, `the table ${place.table}`)
    } finally {
      await reader.close()
    }
  },
  async store(address, { reminders, logger }) {
    const adapter = await loadAws(address)
    const place = tablePlaceOf(address)
    const { DynamoCoordinationStore, DynamoRunStore, ensureInfrastructure } = adapter
    const { table, create } = place
    try {
      if (create) await ensureInfrastructure({ table, queueName: false, dynamo: clientOf(place), logger })
      return {
        store: await DynamoRunStore.connect({ ...portOptions(place), logger, ...reminders }),
        coordinationStore: new DynamoCoordinationStore(portOptions(place)),
      }
    } catch (error) {
      throw inWordsOfUrl(error, address, place, `the table ${table}`)
    }
  },
  queue: (address, settings) => sqs.queue(address, settings),
}

function portOptions(place: TablePlace) {
  const { table, prefix } = place
  return { table, client: clientOf(place), ...(prefix === undefined ? {} : { prefix }) }
}

/** Of all that is refused to who asks, what making it would put right. */
function isAbsent(error: unknown): boolean {
  return BatonError.is(error, 'INVALID_OPTION') && error.field === 'table'
}
