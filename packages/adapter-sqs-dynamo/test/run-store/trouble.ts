/** What a server can do to a client, put between the two: for tests of what emulators never do by themselves. */
import { type DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb'

interface Call {
  readonly operation: string
  readonly input: object
}

/** Stands before each try of each call until it is taken away. */
export interface Trouble {
  before?(call: Call): void | Promise<void>
  /** After the server has done it. */
  after?(call: Call): void
}

export function makeTrouble(client: DynamoDBClient, trouble: Trouble): Disposable {
  const name = `trouble${Math.random()}`
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { commandName = '' } = context as { readonly commandName?: string }
      const call = { operation: commandName.replace('Command', ''), input: args.input }
      await trouble.before?.(call)
      const result = await next(args)
      trouble.after?.(call)
      return result
    },
    // Inside of the client's own tries.
    { step: 'deserialize', priority: 'high', name },
  )
  return { [Symbol.dispose]: () => void client.middlewareStack.remove(name) }
}

/** Others were writing one of the items at the same time. */
/** @param reason as AWS gives it with the first part, of two */
export function cancelled(reason: 'TransactionConflict' | 'ThrottlingError' | 'ProvisionedThroughputExceeded') {
  return new TransactionCanceledException({
    $metadata: {},
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${reason}, None]`,
    CancellationReasons: [{ Code: reason, Message: 'what AWS says of it' }, { Code: 'None' }],
  })
}

/** The connection was lost before the answer came. */
export function lostAnswer(): Error {
  return Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' })
}
