import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { conformance, type Meter, type World, type WorldOptions } from '@baton/testing'
import { FileCoordinationStore } from '../src/coordination-store.ts'
import { FileJobQueue } from '../src/job-queue.ts'
import { FileRunStore } from '../src/run-store.ts'
import { testFolder } from './folder.ts'

conformance({
  name: 'files',
  durability: 'power',
  tickMs: 10,
  sideBySide: true,
  create(options) {
    const folder = testFolder()
    const open: World[] = []
    const world = openWorld(folder.path, options, open)
    return {
      ...world,
      async [Symbol.asyncDispose]() {
        for (const each of open) await each[Symbol.asyncDispose]()
        folder.remove()
      },
    }
  },
})

/** The ports of one process on a folder. */
function openWorld(directory: string, { visibilityMs, ...times }: WorldOptions, open: World[]): World {
  const store = new FileRunStore({ directory, ...times })
  const queue = new FileJobQueue({ directory, visibilityMs, pollMs: 50 })
  const coordinationStore = new FileCoordinationStore({ directory })
  const queueFolder = join(directory, 'queue')
  const world: World = {
    store,
    queue,
    coordinationStore,
    reopen: () => openWorld(directory, { visibilityMs, ...times }, open),
    push: (message) => {
      const text = typeof message === 'string' ? message : JSON.stringify(message)
      writeFileSync(join(queueFolder, 'pending', `outside-${Math.random()}`), text ?? '')
    },
    deadLetters: () => {
      const dead = join(queueFolder, 'dead')
      const names = readdirSync(dead).filter((name) => name.endsWith('.json'))
      return names.map((name) => readFileSync(join(dead, name), 'utf8'))
    },
    meter: () => sizesIn(join(directory, 'runs')),
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
      await coordinationStore.close()
    },
  }
  open.push(world)
  return world
}

function sizesIn(folder: string): Meter {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const sizes = files.map((file) => statSync(join(file.parentPath, file.name)).size)
  return { writtenBytes: sizes.reduce((sum, size) => sum + size, 0), writes: files.length }
}
