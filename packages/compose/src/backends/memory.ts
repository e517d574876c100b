/** `memory:` URLs. */
import { InMemoryCoordinationStore, InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import type { Backend } from './backend.ts'

export const memory: Backend = {
  check: async () => {},
  store: async () => ({ store: new InMemoryRunStore(), coordinationStore: new InMemoryCoordinationStore() }),
  queue: async (_address, { logger }) => new InMemoryJobQueue({ logger }),
}
