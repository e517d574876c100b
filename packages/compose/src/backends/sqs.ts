/** `sqs:` URLs, and the own queue of a table: jobs in SQS. */
import { BatonError, type ILogger } from '@baton/core'
import type { Address } from '../addresses.ts'
import { deadLettersNameOf, isQueueName, type QueuePlace, queuePlaceOf } from '../aws-url.ts'
import { mistake } from '../mistake.ts'
import { clientOf, inWordsOfUrl, loadAws } from './aws.ts'
import type { Backend } from './backend.ts'

/** How long an answer may take, over all tries of the client. */
const LOOK_WITHIN_MS = 10_000

export const sqs: Backend = {
  async check(address, look) {
    const adapter = await loadAws(address)
    const place = queuePlaceOf(address)
    // What is not there can be made, but not by who only looks.
    if (place.create && !look.mustExist) return
    const queue = new adapter.SqsJobQueue({ ...optionsOf(place), timeoutMs: LOOK_WITHIN_MS })
    try {
      await queue.look()
    } catch (error) {
      // A queue may be down for a while.
      if (BatonError.is(error, 'INVALID_OPTION')) throw refusal(error, address, place)
    } finally {
      await queue.close()
    }
  },
  async store(address) {
    // Never comes here: a URL that is none of a store's is refused before.
    throw mistake(address.field, 'SQS keeps jobs and no runs')
  },
  async queue(address, { logger }) {
    const adapter = await loadAws(address)
    const place = queuePlaceOf(address)
    const options = optionsOf(place)
    try {
      if (!place.create) {
        const deadLetterQueue = await deadLettersOf(place, adapter, logger)
        return new adapter.SqsJobQueue({ ...options, ...named('deadLetterQueue', deadLetterQueue), logger })
      }
      const { queue: queueName, client: sqs, ...others } = options
      const { deadLetterQueue } = await adapter.ensureInfrastructure({
        table: false,
        queueName,
        sqs,
        ...others,
        logger,
      })
      return new adapter.SqsJobQueue({ ...options, ...named('deadLetterQueue', deadLetterQueue?.name), logger })
    } catch (error) {
      throw BatonError.is(error, 'INVALID_OPTION')
        ? refusal(error, address, place)
        : inWordsOfUrl(error, address, place, `the queue ${place.queue}`)
    }
  },
}

const OF_A_TABLE = 'The own queue of a table has its name and place; BATON_QUEUE=sqs://QUEUE names another one.'

function optionsOf(place: QueuePlace) {
  const { queue, highQueue, lowQueue, deadLetterQueue } = place
  return {
    queue,
    client: clientOf(place),
    ...named('highQueue', highQueue),
    ...named('lowQueue', lowQueue),
    ...named('deadLetterQueue', deadLetterQueue),
  }
}

/**
 * The queue in which SQS's own dead letters end, where the template or `create=true` has made it: jobs that were lost for others are found there. Of
 * a queue that is given by its whole URL it has to be said.
 */
async function deadLettersOf(
  place: QueuePlace,
  { SqsJobQueue }: typeof import('@baton/adapter-sqs-dynamo'),
  logger: ILogger,
): Promise<string | undefined> {
  const { queue, deadLetterQueue } = place
  if (deadLetterQueue !== undefined || !isQueueName(queue)) return deadLetterQueue
  const name = deadLettersNameOf(queue)
  if (!isQueueName(name)) return undefined
  const looking = new SqsJobQueue({ queue: name, client: clientOf(place), timeoutMs: LOOK_WITHIN_MS })
  try {
    await looking.look()
  } catch (error) {
    // Not there, or not for who asks: clients have no right to it, and no use. While SQS is down it counts as there, as it mostly is.
    if (!BatonError.is(error, 'INVALID_OPTION')) return name
    logger.log('info', 'no queue of dead letters is used', { queue: name, error: error.message })
    return undefined
  } finally {
    await looking.close()
  }
  return name
}

function named<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [name in Name]?: string }
}

/** Of what is refused for good: which of the queues it is, and what to write into the URL. */
function refusal(error: BatonError, address: Address, place: QueuePlace): unknown {
  const name = place[error.field as 'queue' | 'highQueue' | 'lowQueue' | 'deadLetterQueue'] ?? place.queue
  const said = inWordsOfUrl(error, address, place, `the queue ${name}`)
  if (address.field === 'BATON_QUEUE' || !BatonError.is(said)) return said
  return mistake(address.field, said.message, `${said.hint} ${OF_A_TABLE}`)
}
