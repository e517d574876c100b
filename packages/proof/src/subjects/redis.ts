/** Runs in Redis and jobs in BullMQ, on a server or on a cluster by its nodes: a prefix per world. */
import { BullMQJobQueue, RedisCoordinationStore, RedisRunStore } from '@baton/adapter-bullmq'
import type { Subject } from '@baton/testing'
import { Cluster, Redis } from 'ioredis'
import { pairSubject, type QueuePart, type StorePart } from './pair.ts'

const TICK_MS = 10

export function redisStore(...ports: readonly number[]): StorePart {
  return {
    name: nameOf(ports),
    durability: 'process',
    tickMs: TICK_MS,
    begin(prefix) {
      const connection = connectionTo(ports)
      return {
        open: async ({ redispatchMs, redispatchMaxMs }) => ({
          store: await RedisRunStore.connect({ connection, prefix, redispatchMs, redispatchMaxMs }),
          coordinationStore: new RedisCoordinationStore(connection, { prefix }),
        }),
        end: () => connection.disconnect(),
      }
    },
  }
}

export function bullQueue(...ports: readonly number[]): QueuePart {
  return {
    name: 'BullMQ',
    tickMs: TICK_MS,
    begin(name) {
      const connection = connectionTo(ports)
      return {
        open: ({ visibilityMs }) => new BullMQJobQueue({ connection, name, visibilityMs }),
        end: () => connection.disconnect(),
      }
    },
  }
}

export function redisSubject(...ports: readonly number[]): Subject {
  return pairSubject(redisStore(...ports), bullQueue(...ports), nameOf(ports))
}

function nameOf({ length }: readonly number[]): string {
  return length > 1 ? 'a Redis cluster' : 'Redis'
}

/** What the ports make their connections like; it never connects itself. */
function connectionTo(ports: readonly number[]): Redis | Cluster {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
  return nodes.length > 1 ? new Cluster(nodes, { lazyConnect: true }) : new Redis({ ...nodes[0], lazyConnect: true })
}
