/** What clients of the SDK are sent, as the actions of IAM that it needs, each with the resource it is for. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'

/**
 * By the service authorization reference. An operation needs the action of its name, but for these:
 * a transaction needs those of its parts (developer guide, "Using IAM with DynamoDB transactions"), and a batch of messages that
 * of one message (API reference of `AddPermission`: it "also grants permissions for the corresponding batch versions").
 */
const PARTS = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
} as const

type Part = keyof typeof PARTS

interface Input {
  readonly TableName?: string
  readonly IndexName?: string
  readonly RequestItems?: object
  readonly TransactItems?: readonly Partial<Record<Part, { readonly TableName?: string }>>[]
  readonly QueueName?: string
  readonly QueueUrl?: string
}

export class UsedActions {
  /** `dynamodb:Query table/baton/index/due`. */
  readonly seen = new Set<string>()

  watch(client: DynamoDBClient | SQSClient): void {
    // Of the two clients' stacks, which are alike, TypeScript makes no common one.
    const { middlewareStack } = client as DynamoDBClient
    middlewareStack.add(
      (next, { commandName = '' }: { readonly commandName?: string }) =>
        (args) => {
          for (const each of actionsOf(commandName.replace('Command', ''), args.input as Input)) this.seen.add(each)
          return next(args)
        },
      { step: 'initialize', name: 'usedActions' },
    )
  }
}

function actionsOf(operation: string, input: Input): readonly string[] {
  const { TableName, IndexName, RequestItems, TransactItems, QueueName, QueueUrl } = input
  if (TransactItems !== undefined) {
    return TransactItems.flatMap((item) =>
      Object.entries(item).map(([part, write]) => `dynamodb:${PARTS[part as Part]} table/${write.TableName}`),
    )
  }
  if (RequestItems !== undefined)
    return Object.keys(RequestItems).map((table) => `dynamodb:${operation} table/${table}`)
  if (TableName !== undefined) {
    return [`dynamodb:${operation} table/${TableName}${IndexName === undefined ? '' : `/index/${IndexName}`}`]
  }
  const queue = QueueName ?? QueueUrl?.split('/').at(-1)
  return [`sqs:${operation.replace(/Batch$/, '')} ${queue}`]
}

export interface Policy {
  readonly Statement: readonly {
    readonly Effect: string
    readonly Action: string | readonly string[]
    readonly Resource: string | readonly string[]
  }[]
}

/** Every action with every resource of its statement, in the same words. */
export function grantsOf({ Statement }: Policy): readonly string[] {
  return Statement.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((arn) => `${action} ${arn.split(':').at(-1)}`)),
  )
}
