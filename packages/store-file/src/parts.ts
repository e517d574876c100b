/** What a store is made of: its folder, opened and recovered, and all who read and write in it. */
import { messageOf, RunCache, type RunId } from '@baton/core/adapter'
import { DueWheel } from './due-wheel.ts'
import { Enlisting } from './enlisting.ts'
import { isOfOneFile, onDisk } from './failure.ts'
import { OpenFiles } from './open-files.ts'
import type { CheckedRunStoreOptions } from './options.ts'
import { recover } from './recovery.ts'
import { RedoLog } from './redo-log.ts'
import { RunIndex } from './run-index.ts'
import { Runs } from './runs.ts'
import { openStoreFolder, type StoreFolder } from './store-folder.ts'
import type { StoredRun } from './stored-run.ts'
import { Sweep } from './sweep.ts'
import { Tombstones } from './tombstones.ts'
import { WaitingFolders } from './waiting-folders.ts'
import { WaitingNews } from './waiting-news.ts'

export interface Parts {
  readonly folder: StoreFolder
  readonly tombstones: Tombstones
  readonly runs: Runs
  readonly index: RunIndex
  readonly sweep: Sweep
  readonly waiting: WaitingFolders
  readonly enlisting: Enlisting
  /** For those who look at all runs: a damaged one is reported and left out. */
  openSound(runId: RunId): StoredRun | undefined
  /** What this process knows of a run is not true any more: the run was purged. */
  drop(runId: RunId): void
  /** The same, and its log is not to be kept open. */
  forget(runId: RunId): void
  /** Resolves when everything that was begun is over. */
  close(): Promise<void>
}

/** A redo log has to be gone before a tombstone that is put today. */
const REDO_MS = 60_000

export function openParts(options: CheckedRunStoreOptions): Parts {
  const { clock, logger, tombstoneMs, pollMs } = options
  const folder = openStoreFolder(options.directory, options.durability)
  const { paths, folders } = folder
  const fsynced = folder.durability === 'power'
  const cache = new RunCache<StoredRun>({
    runs: options.cachedRuns,
    bytes: options.cachedBytes,
    // A log that was removed is found missing when it is read.
    ageMs: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
  })
  const files = new OpenFiles(options.openFiles)
  /** @param begunUntilMs redo logs begun until then are settled too, whosever they are */
  const recoverAll = (begunUntilMs?: number) => {
    const isPurged = (runName: string, begunAtMs: number) => tombstones.covers(runName, begunAtMs, clock.now())
    onDisk(`recovering ${paths.root}`, () => recover({ paths, logger, isPurged, begunUntilMs }))
  }
  const tombstones = new Tombstones({ paths, lifeMs: tombstoneMs, settleRedo: recoverAll })
  // Before any run is read.
  recoverAll()
  const redo = fsynced
    ? new RedoLog({
        paths,
        folders,
        logger,
        limitBytes: options.redoMaxBytes,
        limitMs: Math.min(REDO_MS, tombstoneMs / 2),
      })
    : undefined
  const wheel = new DueWheel(paths)
  const runs: Runs = new Runs({
    ...options,
    paths,
    folders,
    files,
    fsynced,
    redo,
    cache,
    wheel,
    index: () => index,
    tombstones,
  })
  const open = (runId: RunId) => runs.open(runId)
  const openSound = (runId: RunId): StoredRun | undefined => {
    try {
      return runs.open(runId)
    } catch (error) {
      if (!isOfOneFile(error)) throw error
      logger.log('error', 'a run is damaged and was left out', { runId, error: messageOf(error) })
      return undefined
    }
  }
  const finish = (run: StoredRun) => runs.finish(run)
  const index: RunIndex = new RunIndex({ paths, folders, files, open: openSound })
  const waiting = new WaitingFolders({ paths, open: openSound })
  const news = new WaitingNews({ paths, clock, pollMs })
  const enlisting = new Enlisting({ runs, folders: waiting, news, clock })
  const sweep = new Sweep({ paths, wheel, waiting, index, logger, open, openSound, finish })
  return {
    folder,
    tombstones,
    runs,
    index,
    sweep,
    waiting,
    enlisting,
    openSound,
    drop: (runId) => cache.drop(runId),
    forget(runId) {
      cache.drop(runId)
      files.forget(paths.run(runId).log)
    },
    async close() {
      await runs.settled()
      await redo?.close()
      cache.clear()
      wheel.close()
      waiting.close()
      news.close()
      files.close()
    },
  }
}
