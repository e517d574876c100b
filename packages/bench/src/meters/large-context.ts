import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFlow, type Flow, FlowRuntime, type NodeArguments } from '@baton/core'
import { FileRunStore } from '@baton/store-file'
import type { Meter } from './meter.ts'
import { scratchFolder } from './scratch.ts'

const STEPS = 100
const MEGABYTE = 2 ** 20

/** W7: a value of 1 MB in the context, and 100 nodes that each change one small key: bytes that a commit appends. */
export const largeContext: Meter = async () => {
  const directory = scratchFolder()
  const store = new FileRunStore({ directory, durability: 'power' })
  const runtime = new FlowRuntime({ store })
  let before = 0
  let flow: Flow = createFlow('w7')
    .node('large', ({ context }: NodeArguments) => context.set('large', 'x'.repeat(MEGABYTE)))
    // The large value is written by now, and nothing else is: what grows from here on are small commits.
    .node('n0', () => {
      before = bytesOf(directory)
    })
    .edge('large', 'n0')
  for (let step = 1; step <= STEPS; step++) {
    flow = flow.node(`n${step}`, ({ context }) => context.set('small', step)).edge(`n${step - 1}`, `n${step}`)
  }
  const result = await runtime.run(flow)
  if (result.status !== 'completed') throw new Error(JSON.stringify(result))
  const bytes = (bytesOf(directory) - before) / (STEPS + 1)
  await runtime.stop()
  await store.close()
  return [{ unit: 'B/commit', value: bytes }]
}

/** What commits append to. */
function bytesOf(directory: string): number {
  return bytesIn(join(directory, 'runs')) + bytesIn(join(directory, 'redo'))
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + usedBytes(join(entry.parentPath, entry.name)), 0)
}

/** Without the zeros that a redo log is filled with ahead. */
function usedBytes(file: string): number {
  return readFileSync(file).findLastIndex((byte) => byte !== 0) + 1
}
