/**
 * Where values are kept that are too large for a line. An item holds up to 400 KB, so a value is cut into parts. Another place, such
 * as a bucket, does as well: whoever has one gives it to the store.
 */
import type { WriteRequest } from '@aws-sdk/client-dynamodb'
import type { RunId } from '@baton/core/adapter'
import type { Keys } from '../keys.ts'
import type { TableAccess } from './table-access.ts'

/**
 * Keeps large values of runs, each under the SHA-256 of its text. What was put survives whatever the runs survive; the same value
 * may be put again at any time. Throws when it cannot; whoever asked then asks again.
 */
export interface IValueStore {
  /** Resolves when all of them are kept. @param values their texts by their digests */
  put(runId: RunId, values: ReadonlyMap<string, string>): Promise<void>
  /** @returns undefined for what is not there */
  get(runId: RunId, sha256: string): Promise<string | undefined>
  /** Removes all values of a run. It never comes back; what was removed before is no mistake. */
  remove(runId: RunId): Promise<void>
}

/** Less than an item may have, by what names and keys take. */
const PART_BYTES = 390_000

export class TableValues implements IValueStore {
  readonly #table: TableAccess
  readonly #keys: Keys

  constructor(table: TableAccess, keys: Keys) {
    this.#table = table
    this.#keys = keys
  }

  async put(runId: RunId, values: ReadonlyMap<string, string>): Promise<void> {
    const pk = { S: this.#keys.run(runId) }
    const requests: WriteRequest[] = []
    for (const [sha256, text] of values) {
      for (const [part, B] of partsOf(text).entries()) {
        requests.push({ PutRequest: { Item: { pk, sk: { S: valueName(sha256, part) }, v: { B } } } })
      }
    }
    await this.#table.writeAll(requests)
  }

  async get(runId: RunId, sha256: string): Promise<string | undefined> {
    const parts = await this.#table.queryAll({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :name)',
      ExpressionAttributeValues: { ':pk': { S: this.#keys.run(runId) }, ':name': { S: `V#${sha256}#` } },
      ConsistentRead: true,
    })
    if (parts.length === 0) return undefined
    return new TextDecoder().decode(Buffer.concat(parts.map(({ v }) => v?.B ?? new Uint8Array())))
  }

  async remove(runId: RunId): Promise<void> {
    const found = await this.#table.queryAll({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :name)',
      ExpressionAttributeValues: { ':pk': { S: this.#keys.run(runId) }, ':name': { S: 'V#' } },
      ProjectionExpression: 'pk, sk',
      ConsistentRead: true,
    })
    await this.#table.writeAll(
      found.map(({ pk = { S: '' }, sk = { S: '' } }) => ({ DeleteRequest: { Key: { pk, sk } } })),
    )
  }
}

function valueName(sha256: string, part: number): string {
  return `V#${sha256}#${String(part).padStart(6, '0')}`
}

function partsOf(text: string): readonly Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PART_BYTES) parts.push(bytes.subarray(at, at + PART_BYTES))
  return parts
}
