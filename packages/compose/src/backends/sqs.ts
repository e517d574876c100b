/** `sqs:` URLs, and the own queue of a table: jobs in SQS. */
import type { BatonError } from '@baton/core'
import type { Address } from '../addresses.ts'
import { type QueuePlace, queuePlaceOf } from '../aws-url.ts'
import { mistake } from '../mistake.ts'
import { clientOf, inWordsOfUrl, loadAws, whereOf } from './aws.ts'
import type { Backend } from './backend.ts'

/** How long an answer may take, over all tries of the client. */
const LOOK_WITHIN_MS = 10_000

export const sqs: Backend = {
  async check(address, look) {
    const { sqs: sdk } = await loadAws(address)
    const place = queuePlaceOf(address)
    // What is not there can be made, but not by who only looks.
    if (place.create && !look.mustExist) return
    const client = new sdk.SQSClient(clientOf(place))
    let asked = place.queue
    try {
      const abortSignal = AbortSignal.timeout(LOOK_WITHIN_MS)
      for (asked of namesOf(place)) {
        await client.send(new sdk.GetQueueUrlCommand({ QueueName: asked }), { abortSignal })
      }
    } catch (error) {
      const refused = refusal(error, address, place, asked)
      if (refused !== undefined) throw refused
    } finally {
      client.destroy()
    }
  },
  async store(address) {
    // Never comes here: a URL that is none of a store's is refused before.
    throw mistake(address.field, 'SQS keeps jobs and no runs')
  },
  async queue(address, { logger }) {
    const { adapter } = await loadAws(address)
    const place = queuePlaceOf(address)
    const { queue, create } = place
    const client = clientOf(place)
    const levels = { ...named('highQueue', place.highQueue), ...named('lowQueue', place.lowQueue) }
    try {
      const deadLetterQueue = create ? await made() : place.deadLetterQueue
      return new adapter.SqsJobQueue({ queue, client, logger, ...levels, ...named('deadLetterQueue', deadLetterQueue) })
    } catch (error) {
      throw inWordsOfUrl(error, address, place, `the queue ${queue}`)
    }

    async function made(): Promise<string | undefined> {
      const names = { queueName: queue, ...levels, ...named('deadLetterQueue', place.deadLetterQueue) }
      const found = await adapter.ensureInfrastructure({ table: false, sqs: client, logger, ...names })
      return found.deadLetterQueue?.name
    }
  },
}

/** Of the queues that it names, those that are not given by their whole URL. */
function namesOf({ queue, highQueue, lowQueue, deadLetterQueue }: QueuePlace): readonly string[] {
  const all = [queue, highQueue, lowQueue, deadLetterQueue]
  return all.filter((name) => name !== undefined).filter((name) => !/^https:/.test(name))
}

function named<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [name in Name]?: string }
}

/**
 * @param name of the queue that was asked for
 * @returns undefined for what is no mistake of whoever asks: a queue may be down for a while
 */
function refusal(error: unknown, { field }: Address, place: QueuePlace, name: string): BatonError | undefined {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (/QueueDoesNotExist|NonExistentQueue/.test(said)) return absent(field, name)
  if (/UnknownOperation|InvalidAction/.test(said)) {
    const hint = 'Set BATON_QUEUE=sqs://QUEUE?endpoint=http://… to where it is.'
    return mistake(field, `what answers ${whereOf(place)} is no SQS`, hint)
  }
  if (/Region is missing/.test(said)) {
    return mistake(field, 'SQS: Region is missing', 'Add ?region=eu-west-1 to the URL, or set AWS_REGION.')
  }
  if (/CredentialsProviderError|AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch/.test(said)) {
    const hint =
      'See that there are credentials, and that they are allowed what the policy in the README of @baton/adapter-sqs-dynamo lists.'
    return mistake(field, `SQS does not let us in: ${said}`, hint)
  }
  return undefined
}

function absent(field: string, name: string): BatonError {
  const hint =
    field === 'BATON_QUEUE'
      ? 'Create it from the template, or add ?create=true to the URL; or see that region and name are right.'
      : 'Create it from the template, add ?create=true to the URL, or name another one: BATON_QUEUE=sqs://QUEUE.'
  return mistake(field, `there is no queue ${name} in this account and region`, hint)
}
