/** What tests of ports on Redis share: subjects of the kit, each world with a prefix of its own. */
import { randomUUID } from 'node:crypto'
import {
  type ICoordinationStore,
  type IJobQueue,
  InMemoryCoordinationStore,
  InMemoryJobQueue,
  InMemoryRunStore,
} from '@baton/core'
import type { Subject, World, WorldOptions } from '@baton/testing'

export function newPrefix(): string {
  return `t-${randomUUID().slice(0, 8)}`
}

/** The ports of one process of a world, as far as they are not in memory. */
interface Ports {
  readonly queue?: IJobQueue
  readonly coordinationStore?: ICoordinationStore
  push?(message: unknown): Promise<void>
  deadLetters?(): Promise<readonly unknown[]>
}

/** A subject of which one port is real and the others are in memory, for the suite of that port alone. */
export function subjectOf(name: string, open: (prefix: string, options: WorldOptions) => Ports): Subject {
  return {
    name,
    durability: 'none',
    tickMs: 20,
    create(options): World {
      const prefix = newPrefix()
      const store = new InMemoryRunStore()
      const memory = { queue: new InMemoryJobQueue(), coordinationStore: new InMemoryCoordinationStore() }
      const opened: Ports[] = []
      const openWorld = (): World => {
        const ports = open(prefix, options)
        opened.push(ports)
        return {
          store,
          ...memory,
          ...ports,
          reopen: openWorld,
          async [Symbol.asyncDispose]() {
            for (const { queue, coordinationStore } of opened) {
              await queue?.close()
              await coordinationStore?.close()
            }
          },
        }
      }
      return openWorld()
    },
  }
}
