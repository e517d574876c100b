/** A store of one technology and a queue of another, as a subject: any queue works with any store. */
import { randomUUID } from 'node:crypto'
import type { Durability, ICoordinationStore, IJobQueue, IRunStore } from '@baton/core'
import type { Awaitable } from '@baton/core/adapter'
import type { Subject, World, WorldOptions } from '@baton/testing'

/** What one technology brings. */
export interface Part<Ports> {
  readonly name: string
  /** The shortest time that it surely keeps apart from twice as long. */
  readonly tickMs: number
  /** A place that shares nothing with others. @param world a name that nothing else has */
  begin(world: string): Awaitable<Place<Ports>>
}

export interface Place<Ports> {
  /** The ports of one process. Who opens them closes them. */
  open(options: WorldOptions): Awaitable<Ports>
  /** Takes away what it has left over. */
  end(): Awaitable<void>
}

export interface StorePart extends Part<StorePorts> {
  readonly durability: Durability
}

export interface StorePorts {
  readonly store: IRunStore
  readonly coordinationStore: ICoordinationStore
}

export interface QueuePart extends Part<IJobQueue> {
  begin(world: string): Awaitable<QueuePlace>
}

/** With what some cases of the kit need beside the port. */
export interface QueuePlace extends Place<IJobQueue>, Pick<World, 'push' | 'deadLetters'> {}

/** In real time. */
export function pairSubject(store: StorePart, queue: QueuePart, name = `${queue.name} with ${store.name}`): Subject {
  return {
    name,
    durability: store.durability,
    tickMs: Math.max(store.tickMs, queue.tickMs),
    sideBySide: true,
    async create(options) {
      const world = `proof-${randomUUID().slice(0, 8)}`
      const places = [await store.begin(world), await queue.begin(world)] as const
      const open: World[] = []
      const first = await openWorld(places, options, open)
      return {
        ...first,
        async [Symbol.asyncDispose]() {
          for (const each of open) await each[Symbol.asyncDispose]()
          for (const place of places) await place.end()
        },
      }
    },
  }
}

async function openWorld(
  places: readonly [Place<StorePorts>, QueuePlace],
  options: WorldOptions,
  open: World[],
): Promise<World> {
  const [stores, queues] = places
  const ports = await stores.open(options)
  const queue = await queues.open(options)
  const { push, deadLetters } = queues
  const world: World = {
    ...ports,
    ...(push === undefined ? {} : { push }),
    ...(deadLetters === undefined ? {} : { deadLetters }),
    queue,
    reopen: () => openWorld(places, options, open),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await ports.store.close()
      await ports.coordinationStore.close()
    },
  }
  open.push(world)
  return world
}
