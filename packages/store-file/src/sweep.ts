/**
 * Finds what is due by the markers of `due-wheel.ts`, and keeps the markers in order.
 *
 * The invariant: the marker of a live run lies no later than its next due instant. Writers see to that before they
 * write a line that could make something due; a look moves a marker that lies too early, and says so in the log, so
 * that all writers know where it is. Whatever dies in between leaves a marker that is too early, which is harmless.
 */
import { setImmediate } from 'node:timers/promises'
import type { ILogger } from '@baton/core'
import { type DueItem, type DueQuery, enlistedSince, messageOf, type RunId, type RunMachine } from '@baton/core/adapter'
import { bucketOf, type DueWheel } from './due-wheel.ts'
import { isOfOneFile } from './failure.ts'
import { idOfFileName } from './file-name.ts'
import type { Paths } from './paths.ts'
import type { RunIndex } from './run-index.ts'
import type { StoredRun } from './stored-run.ts'
import type { WaitingFolders } from './waiting-folders.ts'

type DueFilter = Pick<DueQuery, 'unsentOnly' | 'flows' | 'runId' | 'journals'>

export interface SweepOptions {
  readonly paths: Paths
  readonly wheel: DueWheel
  readonly waiting: WaitingFolders
  readonly index: RunIndex
  readonly logger: ILogger
  /** Reads a run; undefined when it is not there. Throws when it cannot be read. */
  readonly open: (runId: RunId) => StoredRun | undefined
  /** The same for those who look at all runs: undefined, too, when it is damaged. */
  readonly openSound: (runId: RunId) => StoredRun | undefined
  /** Tidies up after a run that has ended. */
  readonly finish: (run: StoredRun) => void
}

/** How many runs to look at before others get their turn. */
const RUNS_PER_TURN = 50
/** A marker without a run: its run is being created, or never will be. */
const CREATION_MS = 60_000
/** When to look again at a run that cannot be read. */
const BROKEN_MS = 600_000

interface Sound {
  readonly logBytes: number
  readonly markerMs: number
}

export class Sweep {
  readonly #options: SweepOptions
  /** Live runs whose markers were found in their places, with the length of their logs at that time. */
  #sound = new Map<RunId, Sound>()

  constructor(options: SweepOptions) {
    this.#options = options
  }

  async due({ limit, ...filter }: DueQuery, nowMs: number): Promise<readonly DueItem[]> {
    const items: DueItem[] = []
    if (filter.runId !== undefined) {
      const run = this.#options.open(filter.runId)
      if (run?.machine !== undefined) items.push(...run.machine.due(run.timeAt(nowMs), filter))
      return items.slice(0, limit)
    }
    const { wheel } = this.#options
    const seen = new Set<string>()
    let looked = 0
    for (const bucketMs of wheel.begun(nowMs)) {
      for (const name of wheel.names(bucketMs)) {
        if (++looked % RUNS_PER_TURN === 0) await setImmediate()
        const found = this.#look(name, bucketMs, nowMs, filter)
        // A run may have markers in several buckets that have begun.
        if (!seen.has(name)) for (const item of found) items.push(item)
        seen.add(name)
      }
      wheel.drop(bucketMs)
      // What lies in later buckets is no older, or not by much.
      if (items.length >= limit) break
    }
    return items.sort((left, right) => left.dueAtMs - right.dueAtMs).slice(0, limit)
  }

  #look(name: string, bucketMs: number, nowMs: number, filter: DueFilter): readonly DueItem[] {
    const runId = idOfFileName(name)
    if (runId === undefined) return []
    const { wheel, paths, logger } = this.#options
    try {
      return this.#lookAt(runId, bucketMs, nowMs, filter)
    } catch (error) {
      if (!isOfOneFile(error)) throw error
      // One bad run must not stop the others, nor be read again at every sweep.
      logger.log('error', 'a run is damaged and was left out of the sweep', { runId, error: messageOf(error) })
      const run = paths.run(runId)
      wheel.put(run, bucketOf(nowMs + BROKEN_MS, nowMs))
      wheel.remove(run, bucketMs)
      return []
    }
  }

  #lookAt(runId: RunId, bucketMs: number, nowMs: number, filter: DueFilter): readonly DueItem[] {
    const { open, finish, wheel, paths } = this.#options
    const run = open(runId)
    if (run?.machine === undefined) {
      const place = paths.run(runId)
      if (nowMs - bucketMs > CREATION_MS) wheel.remove(place, bucketMs)
      return []
    }
    if (run.machine.isDone) {
      finish(run)
      wheel.remove(run.paths, bucketMs)
      return []
    }
    const atMs = run.timeAt(nowMs)
    this.#moveOn(run, run.machine, bucketMs, atMs)
    return run.machine.due(atMs, filter)
  }

  /** Moves a marker that lies too early to where it belongs. The new one comes first, so there is always one. */
  #moveOn(run: StoredRun, machine: RunMachine, bucketMs: number, atMs: number): void {
    const { wheel } = this.#options
    const targetMs = bucketOf(machine.nextDueAtMs(), atMs)
    if (targetMs <= bucketMs) return
    if (run.markerMs !== targetMs) {
      if (targetMs !== Number.POSITIVE_INFINITY) wheel.put(run.paths, targetMs)
      if (!run.moveMarker(atMs, targetMs)) return
    }
    wheel.remove(run.paths, bucketMs)
  }

  /**
   * Puts back the markers that are missing: a power cut may have taken them. Costs what is alive: the first time the reading of
   * its logs, later a look at each log's length and at its marker. A run whose log is as it was wants attention when it did.
   */
  async repair(nowMs: () => number, stop: AbortSignal): Promise<void> {
    const { index, wheel, paths } = this.#options
    const before = this.#sound
    const sound = new Map<RunId, Sound>()
    let looked = 0
    for (const { runId, endedAtMs, logBytes } of (await index.scan()).values()) {
      if (stop.aborted) return
      if (endedAtMs !== undefined) continue
      if (++looked % RUNS_PER_TURN === 0) await setImmediate()
      const known = before.get(runId)
      const isAsItWas = known?.logBytes === logBytes && wheel.has(paths.run(runId), known.markerMs)
      const markerMs = isAsItWas ? known.markerMs : this.#repairOne(runId, nowMs())
      if (markerMs !== undefined) sound.set(runId, { logBytes, markerMs })
    }
    this.#sound = sound
  }

  /** @returns where the run's marker lies; undefined where it needs none, or is to be looked at every time */
  #repairOne(runId: RunId, nowMs: number): number | undefined {
    const { openSound, wheel, waiting, logger } = this.#options
    const run = openSound(runId)
    if (run?.machine === undefined || run.machine.isDone) return undefined
    const { state } = run.machine
    const isEnlisted = enlistedSince(state) !== undefined
    if (isEnlisted && !waiting.has(state.head, runId)) waiting.put(state.head, runId)
    const targetMs = bucketOf(run.machine.nextDueAtMs(), run.timeAt(nowMs))
    if (targetMs === Number.POSITIVE_INFINITY) return undefined
    const isThere = run.markerMs <= targetMs && wheel.has(run.paths, run.markerMs)
    const markerMs = isThere ? run.markerMs : targetMs
    if (!isThere) {
      wheel.put(run.paths, targetMs)
      run.noteMarker(targetMs)
      logger.log('info', 'put back the due marker of a run', { runId })
    }
    return isEnlisted ? undefined : markerMs
  }
}
