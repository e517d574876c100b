/**
 * Every key of the run store. What belongs to one run, and the indexes in which it stands, share a hash tag, so that one
 * script may change all of them, also on a cluster.
 *
 *   <prefix>:store                    hash    what the store was made with
 *   <prefix>:{s<n>}:run:<id>          list    the run's log: its commands, in their order; also the channel of its news
 *   <prefix>:{s<n>}:blobs:<id>        hash    its large values, by their digest
 *   <prefix>:{s<n>}:notes             hash    a few words about each run
 *   <prefix>:{s<n>}:gone              zset    tombstones: runs that were purged, by when their ids are free again
 *   <prefix>:{s<n>}:created           zset    all runs, by their creation
 *   <prefix>:{s<n>}:ended             zset    runs that have ended and have nothing more to say, by their end
 *   <prefix>:{s<n>}:letters           zset    runs with dead letters, by their creation
 *   <prefix>:{s<n>}:remind            zset    when the sweep has to look at which run
 *   <prefix>:{s<n>}:due:<flow>        zset    when which run of a flow and version has something to claim
 *   <prefix>:{s<n>}:waiting:<flow>    set     runs that wait for a worker with that version
 *   <prefix>:{s<n>}:flows             set     the flows and versions of which there has been a run
 *
 * Nothing ever expires: what is removed is removed by a purge.
 */
import { crc32 } from 'node:zlib'
import type { RunId } from '@baton/core/adapter'

export interface ShardKeys {
  readonly created: string
  readonly ended: string
  readonly remind: string
  readonly notes: string
  readonly flows: string
  readonly letters: string
  readonly gone: string
}

export class Keys {
  readonly #prefix: string
  readonly shards: number

  constructor(prefix: string, shards: number) {
    this.#prefix = prefix
    this.shards = shards
  }

  static store(prefix: string): string {
    return `${prefix}:store`
  }

  shardOf(runId: RunId): number {
    return this.shards === 1 ? 0 : crc32(runId) % this.shards
  }

  ofShard(shard: number): ShardKeys {
    const of = (name: string) => `${this.#tagged(shard)}:${name}`
    return {
      created: of('created'),
      ended: of('ended'),
      remind: of('remind'),
      notes: of('notes'),
      flows: of('flows'),
      letters: of('letters'),
      gone: of('gone'),
    }
  }

  log(runId: RunId): string {
    return `${this.#tagged(this.shardOf(runId))}:run:${runId}`
  }

  /** Where it is told that a run is over: whoever waits for that is not woken by every commit. */
  endNews(runId: RunId): string {
    return `${this.log(runId)}:end`
  }

  blobs(runId: RunId): string {
    return `${this.#tagged(this.shardOf(runId))}:blobs:${runId}`
  }

  due(shard: number, flow: string): string {
    return `${this.#tagged(shard)}:due:${flow}`
  }

  waiting(shard: number, flow: string): string {
    return `${this.#tagged(shard)}:waiting:${flow}`
  }

  /** Where it is told that something was put on a waiting list. */
  waitingNews(flow: string): string {
    return `${this.#prefix}:waiting:${flow}`
  }

  #tagged(shard: number): string {
    return `${this.#prefix}:{s${shard}}`
  }
}
