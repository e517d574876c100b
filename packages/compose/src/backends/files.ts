/** `file:` URLs: a folder, for several processes of one machine. */
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Address, directoryOf } from '../addresses.ts'
import { loadAdapter } from '../missing-adapter.ts'
import { mistake } from '../mistake.ts'
import type { Backend, Look } from './backend.ts'

export const files: Backend = {
  async check(address, look) {
    await load(address)
    checkFolder(address, look)
  },
  async store(address, { durability, reminders, logger }) {
    const { FileCoordinationStore, FileRunStore } = await load(address)
    const options = { directory: directoryOf(address), logger, ...(durability === undefined ? {} : { durability }) }
    return {
      store: new FileRunStore({ ...options, ...reminders }),
      coordinationStore: new FileCoordinationStore(options),
    }
  },
  async queue(address, { logger }) {
    const { FileJobQueue } = await load(address)
    return new FileJobQueue({ directory: directoryOf(address), logger })
  },
}

function load(address: Address) {
  return loadAdapter(address, ['@baton/store-file'], () => import('@baton/store-file'))
}

/** Looks, and makes nothing. */
function checkFolder(address: Address, { part, mustExist }: Look): void {
  const { field } = address
  const directory = resolve(directoryOf(address))
  const isFolder = folderAt(directory)
  if (isFolder === false) throw mistake(field, `${directory} is not a folder`, 'Name a folder; it may be a new one.')
  if (!mustExist) return
  // Whoever opens a store leaves this file in it, as its last step.
  const isThere = part === 'store' ? existsSync(join(directory, 'store.json')) : isFolder === true
  if (isThere) return
  throw mistake(field, `there is no store in ${directory}`, 'Name the folder that the run was started in: file:./data.')
}

/** @returns undefined where there is nothing yet */
function folderAt(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    // One of the folders above is a file.
    if (code === 'ENOTDIR') return false
    // What else is wrong is for whoever opens it to say.
    return true
  }
}
