import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const apps = join(import.meta.dirname, '../..')

// Apps import nothing of each other, so that each can be copied alone. What both need to agree on is kept equal here.
it.each(['compose.ts', 'environment.ts', 'flows.ts'])('%s is the same in the client as in the worker', (file) => {
  const [client, worker] = ['client', 'worker'].map((app) => readFileSync(join(apps, app, 'src', file), 'utf8'))

  expect(client).toBe(worker)
})
