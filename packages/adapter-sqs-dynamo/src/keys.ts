/**
 * Every item of the table.
 *
 *   pk                  sk               what
 *   <prefix>#R#<run>    H                the head of a run: its marks and its note. Or its tombstone
 *   <prefix>#R#<run>    S#<number>       a segment of its log
 *   <prefix>#R#<run>    V#<sha>#<part>   a part of a value that is kept apart, or of a line that is
 *   <prefix>#W          <flow>#<run>     a run on the waiting list of its flow
 *   <prefix>#W          !                which of these lists have something on them. In the index as long as one has
 *   <prefix>#C#<key>    C                a key of the coordination store
 *   <prefix>#M          M                what the store was made with
 *
 *   head       mark    the earliest of the next two, with `dp` the key of the due index
 *              due     when something of it may be claimed
 *              remind  when the sweep has to look at it
 *              pos     how long the log was when these were put there; who has read less changes nothing
 *              created when it was created, with `cp` and `lp` the keys of the other two indexes
 *              flow    of what flow and version it is
 *              note    a few words about the run, as JSON
 *              gone    it is being removed, or has been; `freeAt` then says from when on its id may be used again
 *   lists      flow    the names of these lists; `/` for all of them. With `dp` and `mark`, in the index
 *              enlisted how often the item was written
 *   segment    l       lines
 *              b       their bytes
 *              m       it takes no more when it has so many
 *              f       how many lines are in the segments before
 *              q       no more may be appended before the marks of the run are moved: they are later than appending makes sure
 *              g       no more may be appended: the run is being removed
 */

import { crc32 } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { RunId } from '@baton/core/adapter'

export type Item = Record<string, AttributeValue>
export type ItemKey = { readonly pk: AttributeValue; readonly sk: AttributeValue }

export class Keys {
  readonly #prefix: string
  readonly shards: number

  constructor(prefix: string, shards: number) {
    this.#prefix = prefix
    this.shards = shards
  }

  static store(prefix: string): ItemKey {
    return { pk: { S: `${prefix}#M` }, sk: { S: 'M' } }
  }

  run(runId: RunId): string {
    return `${this.#prefix}#R#${runId}`
  }

  /** @param pk of the head of a run */
  runIdOf(pk: string): RunId {
    return pk.slice(this.#prefix.length + 3) as RunId
  }

  head(runId: RunId): ItemKey {
    return { pk: { S: this.run(runId) }, sk: { S: 'H' } }
  }

  waiting(): string {
    return `${this.#prefix}#W`
  }

  /** The key of runs in the indexes of due runs and of created ones. */
  shardOf(runId: RunId): string {
    return this.shard(this.shards === 1 ? 0 : crc32(runId) % this.shards)
  }

  shard(shard: number): string {
    return `${this.#prefix}#${shard}`
  }

  /** The key of a shard's ended runs, in the same index as those that are due. */
  ended(shard: string): string {
    return `${shard}#E`
  }

  allShards(): readonly string[] {
    return Array.from({ length: this.shards }, (_, shard) => this.shard(shard))
  }
}

export const SEGMENTS = { first: 'S#', last: 'S#~' } as const

/** In the order of their numbers. */
export function segmentName(index: number): string {
  return `S#${String(index).padStart(8, '0')}`
}

export function segmentIndex(sk: string): number {
  return Number(sk.slice(2))
}
