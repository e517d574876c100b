import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileCoordinationStore, FileJobQueue, FileRunStore } from '@baton/store-file'
import type { Subject, World, WorldOptions } from '@baton/testing'

/** The file adapter: a folder per world, in real time. What it survives is proved elsewhere; here it may be quick. */
export const fileSubject: Subject = {
  name: 'files',
  durability: 'process',
  tickMs: 5,
  create(options) {
    const directory = mkdtempSync(join(tmpdir(), 'baton-proof-'))
    const open: World[] = []
    const world = openWorld(directory, options, open)
    return {
      ...world,
      async [Symbol.asyncDispose]() {
        for (const each of open) await each[Symbol.asyncDispose]()
        rmSync(directory, { recursive: true, force: true })
      },
    }
  },
}

/** The ports of one process on a folder. */
function openWorld(directory: string, { visibilityMs, ...times }: WorldOptions, open: World[]): World {
  const store = new FileRunStore({ directory, durability: 'process', ...times })
  const queue = new FileJobQueue({ directory, visibilityMs, pollMs: 50 })
  const coordinationStore = new FileCoordinationStore({ directory })
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(directory, { visibilityMs, ...times }, open),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}
