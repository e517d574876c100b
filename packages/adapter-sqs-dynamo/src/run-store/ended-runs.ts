/** Runs of a shard that have ended and have nothing more to say, those that ended first coming first. */
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb'
import type { MarkedPage, MarkedRuns } from '@baton/core/adapter'
import type { Keys } from '../keys.ts'
import { DUE_INDEX } from '../table.ts'
import type { TableAccess } from './table-access.ts'

export class EndedRuns implements MarkedRuns {
  readonly #table: TableAccess
  readonly #keys: Keys
  readonly #shard: string
  #last: QueryCommandOutput['LastEvaluatedKey']

  constructor(table: TableAccess, keys: Keys, shard: string) {
    this.#table = table
    this.#keys = keys
    this.#shard = shard
  }

  async next(untilMs: number, _stayed: number, most: number): Promise<MarkedPage> {
    const page = await this.#table.query({
      IndexName: DUE_INDEX,
      KeyConditionExpression: 'dp = :dp AND mark <= :until',
      ExpressionAttributeValues: {
        ':dp': { S: this.#keys.ended(this.#shard) },
        ':until': { N: String(Math.min(untilMs, Number.MAX_SAFE_INTEGER)) },
      },
      Limit: most,
      ...(this.#last === undefined ? {} : { ExclusiveStartKey: this.#last }),
    })
    this.#last = page.LastEvaluatedKey
    const runIds = (page.Items ?? []).map(({ pk }) => this.#keys.runIdOf(pk?.S ?? ''))
    return { runIds, isLast: this.#last === undefined }
  }

  /** It is only the index that is late. */
  async strike(): Promise<boolean> {
    return true
  }
}
