/**
 * The one table, as it has to be made: `ensureInfrastructure` makes it, and the templates for production say the same.
 *
 * Every item has `pk` and `sk`. Indexes are sparse: only the head of a run stands in one, and only while it has its key. They
 * project keys and next to nothing, so that what is written of a run is not written several times.
 */
import type { CreateTableCommandInput, GlobalSecondaryIndex } from '@aws-sdk/client-dynamodb'

/** Runs by when others have to look at them; and those that are over, by their end. */
export const DUE_INDEX = 'due'
/** Runs by their creation. */
export const CREATED_INDEX = 'created'
/** Runs with dead letters, by their creation. */
export const LETTERS_INDEX = 'letters'
/** Tombstones are thrown away by DynamoDB when this second has passed, whenever it comes to that. Nothing relies on it. */
export const TTL_ATTRIBUTE = 'ttl'

function index(name: string, hash: string, range: string, projected: readonly string[] = []): GlobalSecondaryIndex {
  return {
    IndexName: name,
    KeySchema: [
      { AttributeName: hash, KeyType: 'HASH' },
      { AttributeName: range, KeyType: 'RANGE' },
    ],
    Projection:
      projected.length === 0
        ? { ProjectionType: 'KEYS_ONLY' }
        : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...projected] },
  }
}

export function tableDefinition(table: string): CreateTableCommandInput {
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'dp', AttributeType: 'S' },
      { AttributeName: 'mark', AttributeType: 'N' },
      { AttributeName: 'cp', AttributeType: 'S' },
      { AttributeName: 'lp', AttributeType: 'S' },
      { AttributeName: 'created', AttributeType: 'N' },
    ],
    GlobalSecondaryIndexes: [
      index(DUE_INDEX, 'dp', 'mark', ['flow', 'due', 'remind']),
      index(CREATED_INDEX, 'cp', 'created'),
      index(LETTERS_INDEX, 'lp', 'created'),
    ],
  }
}
