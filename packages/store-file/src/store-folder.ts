/**
 * The folder that processes share: made by whoever comes first, and checked by everybody. `store.json` says what all of
 * them have to agree on.
 */
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BatonError } from '@baton/core'
import { FILE_MODE, FOLDER_MODE, FolderSync, makeFolder, syncFolderNow } from './disk.ts'
import { hasCode, onDisk } from './failure.ts'
import type { FileDurability } from './options.ts'
import { Paths } from './paths.ts'

const FORMAT = 1

interface Settings {
  readonly format: number
  readonly durability: FileDurability
}

export interface StoreFolder {
  readonly paths: Paths
  readonly durability: FileDurability
  readonly folders: FolderSync
}

/** Opens the folder, and makes what is missing of it. */
export function openStoreFolder(directory: string, durability: FileDurability | undefined): StoreFolder {
  return onDisk(`opening ${directory}`, () => {
    const paths = new Paths(directory)
    const settings = readSettings(paths) ?? createFolder(paths, durability ?? 'power')
    checkFormat(settings, directory)
    if (durability !== undefined && durability !== settings.durability) {
      throw new BatonError('INVALID_OPTION', {
        field: 'durability',
        message: `${directory} was made for "${settings.durability}"`,
        hint: 'All processes must agree. Leave the option out, or change it in store.json while none of them runs.',
      })
    }
    // A folder that an earlier version has made has none.
    for (const path of [paths.redo, paths.waiting]) makeFolder(path)
    for (const path of [
      paths.runs,
      paths.redo,
      paths.due,
      paths.waiting,
      paths.tombstones,
      paths.trash,
      paths.coordination,
    ])
      refuseLink(path)
    return { paths, durability: settings.durability, folders: new FolderSync() }
  })
}

/** The part of the folder that a queue needs. How durable the rest is, is not for a queue to say. */
export function openQueueFolder(directory: string): Paths {
  return onDisk(`opening ${directory}`, () => {
    const paths = new Paths(directory)
    const settings = readSettings(paths)
    if (settings !== undefined) checkFormat(settings, directory)
    makeFolder(paths.queue)
    refuseLink(paths.queue)
    return paths
  })
}

function checkFormat({ format }: Settings, directory: string): void {
  if (format === FORMAT) return
  throw new BatonError('INVALID_OPTION', {
    field: 'directory',
    message: `${directory} has format ${format}, and this version of @baton/store-file reads ${FORMAT}`,
  })
}

/** Everything first and `store.json` last: who finds that file finds the rest, after a power cut too. */
function createFolder(paths: Paths, durability: FileDurability): Settings {
  const topmost = mkdirSync(paths.root, { recursive: true, mode: FOLDER_MODE })
  for (const path of [paths.runs, paths.redo, paths.links, paths.tombstones, paths.trash, paths.coordination])
    makeFolder(path)
  publish(paths.readme, README, false)
  syncFolderNow(paths.root)
  if (topmost !== undefined) {
    for (let path = paths.root; path.length >= topmost.length; path = dirname(path)) syncFolderNow(dirname(path))
  }
  publish(paths.settings, `${JSON.stringify({ format: FORMAT, durability } satisfies Settings, null, 2)}\n`, true)
  syncFolderNow(paths.root)
  // Somebody else may have been faster, and may have chosen otherwise.
  return readSettings(paths) ?? { format: FORMAT, durability }
}

function readSettings(paths: Paths): Settings | undefined {
  try {
    const settings = JSON.parse(readFileSync(paths.settings, 'utf8')) as Settings
    if (settings.durability === 'power' || settings.durability === 'process') return settings
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new BatonError('STORE_CORRUPT', { message: `${paths.settings} does not say how durable this store is` })
}

/** Makes a file with its content, or leaves the one that is there. Nobody ever sees a part of it. */
function publish(path: string, content: string, flush: boolean): void {
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  writeFileSync(draft, content, { flag: 'wx', mode: FILE_MODE, flush })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
}

/** What lies in the folder is ours: a link there would lead writes out of it. */
function refuseLink(path: string): void {
  if (lstatSync(path).isDirectory()) return
  throw new BatonError('INVALID_OPTION', { field: 'directory', message: `${path} is not a folder` })
}

const README = `This folder is a Baton store (@baton/store-file). Several processes use it at the same time.
Copy it only while none of them runs. Do not edit it, and do not put it on a network disk.

store.json                    format and durability; all processes must agree on them
runs/<digit>/<run>.log        a run: one line for each change, oldest first; never rewritten. Less, grep and tail work.
runs/<digit>/<run>.blobs/     large values of that run, named by the SHA-256 of their content
redo/<process>.log            lines of runs, until the runs' own logs are safe from a power cut. Never remove one.
notes.log                     a few words about each run that has ended; made again when missing
due/<milliseconds>/<run>      empty markers: look at this run from that instant on; made again when missing
waiting/<flow>/@<version>/<run>   empty markers: this run waits for a worker with that version (~: without one)
tombstones/<run>              this run was purged; its id is kept from use until the instant in it (~days: by day)
trash/                        purged runs on their way out; may be emptied
queue/                        jobs: pending, taken by a worker, delayed, dead (with a reason). A name says at which byte of
                              the file and how long the job's text is; files are shared between jobs by hard links
coordination/<shard>-*.log    keys and values: locks, counters, marks

A file name is the run id in lower case, with + for a colon. "=<hex>" at its end says which letters are capitals.
`
