/** Runs and jobs in folders. What they survive is proved elsewhere; here they may be quick. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileCoordinationStore, FileJobQueue, FileRunStore } from '@baton/store-file'
import { type Place, pairSubject, type QueuePart, type StorePart } from './pair.ts'

const TICK_MS = 5

export const fileStore: StorePart = {
  name: 'files',
  durability: 'process',
  tickMs: TICK_MS,
  begin: () =>
    inFolder((directory) => ({
      open: ({ redispatchMs, redispatchMaxMs }) => ({
        store: new FileRunStore({ directory, durability: 'process', redispatchMs, redispatchMaxMs }),
        coordinationStore: new FileCoordinationStore({ directory }),
      }),
    })),
}

export const fileQueue: QueuePart = {
  name: 'files',
  tickMs: TICK_MS,
  begin: () =>
    inFolder((directory) => ({
      open: ({ visibilityMs }) => new FileJobQueue({ directory, visibilityMs, pollMs: 50 }),
    })),
}

export const fileSubject = pairSubject(fileStore, fileQueue, 'files')

function inFolder<Ports>(make: (directory: string) => Pick<Place<Ports>, 'open'>): Place<Ports> {
  const directory = mkdtempSync(join(tmpdir(), 'baton-proof-'))
  return { ...make(directory), end: () => rmSync(directory, { recursive: true, force: true }) }
}
