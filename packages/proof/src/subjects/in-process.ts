/** What shares nothing with other processes. */
import { InMemoryCoordinationStore, InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import type { QueuePart, StorePart } from './pair.ts'

/** Here, all processes of a world are this one. */
export const memoryStore: StorePart = {
  name: 'memory',
  durability: 'none',
  tickMs: 5,
  begin() {
    let ports: { readonly store: InMemoryRunStore; readonly coordinationStore: InMemoryCoordinationStore } | undefined
    return {
      open({ redispatchMs, redispatchMaxMs }) {
        ports ??= {
          store: new InMemoryRunStore({ redispatchMs, redispatchMaxMs }),
          coordinationStore: new InMemoryCoordinationStore(),
        }
        return ports
      },
      end: () => {},
    }
  },
}

/** No queue between processes: each has one of its own, and finds what others have made ready in the store. */
export const inStoreQueue: QueuePart = {
  name: 'in-store',
  tickMs: 5,
  begin: () => ({ open: () => new InMemoryJobQueue(), end: () => {} }),
}
