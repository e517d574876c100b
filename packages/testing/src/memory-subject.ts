import { InMemoryCoordinationStore, InMemoryJobQueue, InMemoryRunStore } from '@baton/core'
import type { Subject, World } from './conformance/subject.ts'
import { TestClock } from './test-clock.ts'

/** The reference adapter under the kit: every port in memory, on a clock that the tests move. */
export const memorySubject: Subject = {
  name: 'memory',
  durability: 'none',
  tickMs: 10,
  create({ visibilityMs, ...redispatch }): World {
    const clock = new TestClock()
    const store = new InMemoryRunStore({ clock, ...redispatch })
    const queue = new InMemoryJobQueue({ clock, visibilityMs })
    const coordinationStore = new InMemoryCoordinationStore({ clock })
    const world: World = {
      store,
      queue,
      coordinationStore,
      clock,
      reopen: () => world,
      push: (message) => queue.push(message),
      deadLetters: () => queue.deadLetters,
      async [Symbol.asyncDispose]() {
        queue.close()
        store.close()
      },
    }
    return world
  },
}
