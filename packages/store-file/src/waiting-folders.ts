/**
 * Which runs wait for a worker with their version, as empty files: `waiting/<flow>/@<version>/<run>`, and `~` in place of
 * the version for runs that have none. Only workers that have the version open such a folder, so that what nobody can do
 * costs nobody anything.
 *
 * Whether an instance waits is in its run's log; a marker only says where to look. It comes before the line, and whoever
 * finds one of a run with nothing on the list takes it away, then looks once more, since somebody may have written that
 * line in between. What a power cut takes is put back by the repair of `sweep.ts`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type DueFlow, type DueItem, type DueQuery, enlistedSince, type RunId } from '@baton/core/adapter'
import { removeFile } from './disk.ts'
import { hasCode } from './failure.ts'
import { fileNameOf, idOfFileName } from './file-name.ts'
import { Links } from './links.ts'
import type { Paths } from './paths.ts'
import type { StoredRun } from './stored-run.ts'

export interface WaitingFoldersOptions {
  readonly paths: Paths
  /** Reads a run; undefined when it is not there or is damaged. */
  readonly open: (runId: RunId) => StoredRun | undefined
}

/** How many runs to look at before others get their turn. */
const RUNS_PER_TURN = 50
const NO_VERSION = '~'

export class WaitingFolders {
  readonly #options: WaitingFoldersOptions
  readonly #links: Links

  constructor(options: WaitingFoldersOptions) {
    this.#options = options
    this.#links = new Links(options.paths.links)
  }

  put(list: DueFlow, runId: RunId): void {
    this.#links.put(this.#pathOf(list, runId))
  }

  has(list: DueFlow, runId: RunId): boolean {
    return existsSync(this.#pathOf(list, runId))
  }

  /** What is on the lists of these flows, or on all of them. */
  async due({ limit, flows, ...filter }: DueQuery, nowMs: number): Promise<readonly DueItem[]> {
    const items: DueItem[] = []
    for (const list of flows === undefined ? this.lists() : listsFor(flows)) {
      for await (const run of this.runs(list)) {
        items.push(...(run.machine?.due(run.timeAt(nowMs), filter) ?? []))
        if (items.length >= limit) break
      }
    }
    return items.sort((left, right) => left.dueAtMs - right.dueAtMs).slice(0, limit)
  }

  /** The runs with something on the list. The markers of the others are taken away. */
  async *runs(list: DueFlow): AsyncGenerator<StoredRun> {
    const { open } = this.#options
    let looked = 0
    for (const name of namesIn(this.#folderOf(list))) {
      if (++looked % RUNS_PER_TURN === 0) await setImmediate()
      const runId = idOfFileName(name)
      if (runId === undefined) continue
      const run = open(runId)
      if (isOn(run)) {
        yield run
        continue
      }
      removeFile(this.#pathOf(list, runId))
      if (isOn(open(runId))) this.put(list, runId)
    }
  }

  /** All lists that there have been. */
  lists(): readonly DueFlow[] {
    const { waiting } = this.#options.paths
    return namesIn(waiting).flatMap((folder) => {
      const flowId = idOfFileName(folder)
      if (flowId === undefined) return []
      return namesIn(join(waiting, folder)).flatMap((name): readonly DueFlow[] => {
        if (name === NO_VERSION) return [{ flowId }]
        const version = idOfFileName(name.slice(1))
        return version === undefined ? [] : [{ flowId, version }]
      })
    })
  }

  /** Whether somebody with these flows may find something. */
  mayHave(flows: readonly DueFlow[]): boolean {
    return listsFor(flows).some((list) => namesIn(this.#folderOf(list)).length > 0)
  }

  close(): void {
    this.#links.close()
  }

  #folderOf({ flowId, version }: DueFlow): string {
    const { waiting } = this.#options.paths
    return join(waiting, fileNameOf(flowId), version === undefined ? NO_VERSION : `@${fileNameOf(version)}`)
  }

  #pathOf(list: DueFlow, runId: RunId): string {
    return join(this.#folderOf(list), fileNameOf(runId))
  }
}

/** Whoever has any version of a flow may carry out its runs without one. */
function listsFor(flows: readonly DueFlow[]): readonly DueFlow[] {
  const flowIds = new Set(flows.map(({ flowId }) => flowId))
  return [...flows.filter(({ version }) => version !== undefined), ...[...flowIds].map((flowId) => ({ flowId }))]
}

function isOn(run: StoredRun | undefined): run is StoredRun {
  return run?.machine !== undefined && enlistedSince(run.machine.state) !== undefined
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}
