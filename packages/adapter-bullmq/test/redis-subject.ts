import { randomUUID } from 'node:crypto'
import type { Meter, Subject, World, WorldOptions } from '@baton/testing'
import { Queue } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { BullMQJobQueue, RedisCoordinationStore, RedisRunStore } from '../src/index.ts'

export interface RedisSubjectOptions {
  readonly name: string
  readonly durability: Subject['durability']
  readonly connect: () => Redis | Cluster
  readonly allowEphemeral?: boolean
}

/** All ports on one Redis; a prefix per world. */
export function redisSubject({ name, durability, connect, allowEphemeral = false }: RedisSubjectOptions): Subject {
  return {
    name,
    durability,
    tickMs: 20,
    sideBySide: true,
    async create(options) {
      const prefix = `t-${randomUUID().slice(0, 8)}`
      const source = connect()
      await source.connect()
      const open: World[] = []
      const world = await openWorld({ prefix, source, options, allowEphemeral, open })
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          source.disconnect()
        },
      }
    },
  }
}

interface WorldParts {
  readonly prefix: string
  readonly source: Redis | Cluster
  readonly options: WorldOptions
  readonly allowEphemeral: boolean
  readonly open: World[]
}

/** The ports of one process. */
async function openWorld(parts: WorldParts): Promise<World> {
  const { prefix, source, options, allowEphemeral, open } = parts
  const { visibilityMs, ...times } = options
  const store = await RedisRunStore.connect({ connection: source, prefix, allowEphemeral, ...times })
  const queuePrefix = `{${prefix}}`
  const queue = new BullMQJobQueue({ connection: source, prefix: queuePrefix, visibilityMs })
  const coordinationStore = new RedisCoordinationStore(source, { prefix })
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(parts),
    // Somebody who knows nothing of Baton.
    push: async (message) => {
      const producer = new Queue('baton', { connection: source, prefix: queuePrefix })
      await producer.add('job', message)
      await producer.close()
    },
    deadLetters: () => queue.deadLetters(),
    meter: () => receivedBy(source),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}

async function receivedBy(source: Redis | Cluster): Promise<Meter> {
  const nodes = 'nodes' in source ? source.nodes('master') : [source]
  const infos = await Promise.all(nodes.map((node) => node.info('stats')))
  const sum = (name: string) =>
    infos.reduce((total, info) => total + Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]), 0)
  return { writtenBytes: sum('total_net_input_bytes'), writes: sum('total_commands_processed') }
}
