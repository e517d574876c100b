/** Every option of this package: what it means, its default and its check, once. */
import { resolve } from 'node:path'
import { BatonError, defaults } from '@baton/core'
import {
  assertOptions,
  checkChoice,
  checkInjected,
  checkOptions,
  type IClock,
  type ILogger,
  silentLogger,
  systemClock,
} from '@baton/core/adapter'
import { MAX_RECORD_BYTES } from './shared-log.ts'

/** What an acknowledged write survives: `process`: `kill -9`; `power`: a power cut too. */
export type FileDurability = 'process' | 'power'

export interface FolderOptions {
  /** The folder that all processes share; made when it is missing. On a local disk, never on a network one. */
  readonly directory: string
  readonly clock?: IClock
  readonly logger?: ILogger
}

interface DurableFolderOptions extends FolderOptions {
  /** Default: what the folder was made with, and `power` for a new one. All processes must agree. */
  readonly durability?: FileDurability
}

export interface FileRunStoreOptions extends DurableFolderOptions {
  /** How long a job may go unanswered before the sweep reminds of it, doubled each time … Default 30 s. */
  readonly redispatchMs?: number
  /** … up to this. Default 10 min. */
  readonly redispatchMaxMs?: number
  /** Values whose JSON is longer go into files of their own. Default 32 KiB. */
  readonly inlineMaxBytes?: number
  /** The longest that one transition may be without such values. Default and maximum 16 MiB. */
  readonly recordMaxBytes?: number
  /** The longest that such a value may be. Default 64 MiB. */
  readonly valueMaxBytes?: number
  /** With `power`: a redo log of this length is replaced, once the runs' own logs are on the disk. Default 16 MiB. */
  readonly redoMaxBytes?: number
  /** How many runs to keep in memory, the last used ones. Default 2,000. */
  readonly cachedRuns?: number
  /** And at most this much of their logs and values. Default 128 MiB. */
  readonly cachedBytes?: number
  /** How many logs to keep open. Default 256. */
  readonly openFiles?: number
  /** How often to look for runs whose marker was lost in a power cut. Default 5 min. */
  readonly repairMs?: number
  /** How long the id of a purged run stays taken. Default 14 days. */
  readonly tombstoneMs?: number
  /** How long a follower of a journal may miss a lost notice. Default 1 s. */
  readonly pollMs?: number
}

export interface FileCoordinationStoreOptions extends DurableFolderOptions {
  /** A log of this length is replaced by a shorter one with what is left. Default 256 KiB. */
  readonly sealBytes?: number
}

export interface FileJobQueueOptions extends FolderOptions {
  /** How long a delivery stays with its consumer before others get it too. Default 30 s. */
  readonly visibilityMs?: number
  /** How long a job may wait when the notice of it got lost. Default 1 s. */
  readonly pollMs?: number
}

/** What is left to choose is in the folder: `undefined` stands for what it was made with. */
type Checked<Options> = Required<Omit<Options, 'durability'>> & { readonly durability: FileDurability | undefined }

export type CheckedRunStoreOptions = Checked<FileRunStoreOptions>

export function checkRunStoreOptions(options: FileRunStoreOptions): CheckedRunStoreOptions {
  const folder = checkFolder(options)
  const redispatchMs = count(options, 'redispatchMs', defaults.redispatchMs)
  return allKnown(options, {
    ...folder,
    durability: checkDurability(options.durability),
    redispatchMs,
    redispatchMaxMs: count(options, 'redispatchMaxMs', defaults.redispatchMaxMs, redispatchMs),
    inlineMaxBytes: count(options, 'inlineMaxBytes', 32 * 1024, 256),
    recordMaxBytes: count(options, 'recordMaxBytes', MAX_RECORD_BYTES, 1024, MAX_RECORD_BYTES),
    valueMaxBytes: count(options, 'valueMaxBytes', 64 * 1024 * 1024, 1024),
    redoMaxBytes: count(options, 'redoMaxBytes', 16 * 1024 * 1024, 1024),
    cachedRuns: count(options, 'cachedRuns', 2_000),
    cachedBytes: count(options, 'cachedBytes', 128 * 1024 * 1024),
    openFiles: count(options, 'openFiles', 256),
    repairMs: count(options, 'repairMs', 300_000),
    tombstoneMs: count(options, 'tombstoneMs', defaults.tombstoneMs),
    pollMs: count(options, 'pollMs', 1_000),
  })
}

export function checkCoordinationStoreOptions(
  options: FileCoordinationStoreOptions,
): Checked<FileCoordinationStoreOptions> {
  return allKnown(options, {
    ...checkFolder(options),
    durability: checkDurability(options.durability),
    sealBytes: count(options, 'sealBytes', 256 * 1024),
  })
}

export function checkJobQueueOptions(options: FileJobQueueOptions): Required<FileJobQueueOptions> {
  return allKnown(options, {
    ...checkFolder(options),
    visibilityMs: count(options, 'visibilityMs', 30_000),
    pollMs: count(options, 'pollMs', 1_000),
  })
}

/** What came out of the check has a member for each option that there is. */
function allKnown<Result extends object>(options: object, checked: Result): Result {
  checkOptions(options, Object.keys(checked))
  return checked
}

function checkFolder(options: FolderOptions): Required<FolderOptions> {
  assertOptions(options)
  const { directory, clock = systemClock, logger = silentLogger } = options
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new BatonError('INVALID_OPTION', { field: 'directory', message: 'not the name of a folder' })
  }
  checkInjected(options)
  return { directory: resolve(directory), clock, logger }
}

function checkDurability(durability: unknown): FileDurability | undefined {
  checkChoice(durability, 'durability', ['power', 'process'])
  return durability as FileDurability | undefined
}

function count<Name extends string>(
  options: { readonly [name in Name]?: number },
  field: Name,
  byDefault: number,
  least = 1,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value: unknown = options[field] ?? byDefault
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw new BatonError('INVALID_OPTION', { field, message: `must be a whole number, ${range}` })
}
