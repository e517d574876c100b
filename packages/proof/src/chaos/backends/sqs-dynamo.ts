import { DynamoCoordinationStore, DynamoRunStore, ensureInfrastructure, SqsJobQueue } from '@baton/adapter-sqs-dynamo'
import { type ClientOptions, type Emulator, startDynamo, startSqs } from '@baton/services'
import type { Backend } from '../backend.ts'
import { deliversAgain } from '../delivers-again.ts'

/** What a process is told of the place. */
interface Place {
  readonly name: string
  readonly dynamo: ClientOptions
  readonly sqs: ClientOptions
}

/** Every fifth message is delivered again, as SQS may do with any. */
const AGAIN_EVERY = 5

/**
 * Servers that play DynamoDB and SQS, with a file each, which are killed and started again in between: of all that there are the two that
 * keep what they have acknowledged (docs/decisions/0017-aws-emulators.md).
 */
export const backend: Backend = {
  name: 'sqs-dynamo',
  async prepare() {
    const servers = await Promise.all([
      startDynamo({ kind: 'dynoxide', durable: true }),
      startSqs({ kind: 'elasticmq', durable: true }),
    ])
    const remove = async () => {
      for (const server of servers) await server[Symbol.asyncDispose]()
    }
    try {
      for (const { skipReason } of servers) if (skipReason !== undefined) throw new Error(skipReason)
      const [{ clientOptions: dynamo }, { clientOptions: sqs }] = servers
      const place: Place = { name: 'chaos', dynamo, sqs }
      await ensureInfrastructure({ table: place.name, dynamo, sqs })
      return { address: JSON.stringify(place), servers: servers.map(restartable), remove }
    } catch (error) {
      await remove()
      throw error
    }
  },
  async open(address, { leaseMs }) {
    const { name, dynamo, sqs } = JSON.parse(address) as Place
    const queue = new SqsJobQueue({
      queue: name,
      deadLetterQueue: `${name}-dead`,
      client: sqs,
      visibilityMs: 2 * leaseMs,
      waitMs: 2_000,
    })
    const times = { redispatchMs: leaseMs, redispatchMaxMs: 8 * leaseMs, pollMs: 200 }
    return {
      store: new DynamoRunStore({ table: name, client: dynamo, ...times }),
      queue: deliversAgain(queue, AGAIN_EVERY),
      coordinationStore: new DynamoCoordinationStore({ table: name, client: dynamo }),
    }
  },
}

function restartable(server: Emulator) {
  return {
    async restart() {
      await server.kill()
      await server.restart()
    },
  }
}
