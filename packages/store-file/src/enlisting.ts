/**
 * The waiting lists of this store: which instances wait for a worker with their flow and version. A marker in a folder of
 * the version says which runs to look at; what waits is in the runs' own logs.
 */
import type { IClock } from '@baton/core'
import {
  type DueFlow,
  type EnlistRequest,
  type EnlistResult,
  type RunMachine,
  tallyOf,
  type WaitingList,
} from '@baton/core/adapter'
import type { Runs } from './runs.ts'
import type { WaitingFolders } from './waiting-folders.ts'
import type { WaitingNews } from './waiting-news.ts'

export interface EnlistingOptions {
  readonly runs: Runs
  readonly folders: WaitingFolders
  readonly news: WaitingNews
  readonly clock: IClock
}

export class Enlisting {
  readonly #options: EnlistingOptions

  constructor(options: EnlistingOptions) {
    this.#options = options
  }

  async enlist({ runId, instanceId }: EnlistRequest): Promise<EnlistResult> {
    const { runs, folders, news, clock } = this.#options
    const command = { type: 'enlist', runId, instanceId } as const
    const run = runs.open(runId)
    const { head } = run?.machine?.state ?? {}
    if (run === undefined || head === undefined) return { status: 'unknown-run' }
    const known = run.answerWithoutChange(command, clock.now())
    if (known?.type === 'enlist' && known.result.status !== 'enlisted') return known.result
    folders.put(head, runId)
    const answer = await runs.change(runId, command)
    if (answer?.type !== 'enlist') return { status: 'unknown-run' }
    if (answer.result.status === 'enlisted') {
      // Somebody who looked before the line was written may have taken the marker away.
      if (!folders.has(head, runId)) folders.put(head, runId)
      news.tell()
    }
    return answer.result
  }

  async tallies(): Promise<readonly WaitingList[]> {
    const { folders } = this.#options
    const tallies: WaitingList[] = []
    for (const list of folders.lists()) {
      const machines: RunMachine[] = []
      for await (const { machine } of folders.runs(list)) if (machine !== undefined) machines.push(machine)
      const tally = tallyOf(list, machines)
      if (tally !== undefined) tallies.push(tally)
    }
    return tallies
  }

  listen(flows: readonly DueFlow[], wake: () => void): () => void {
    const { folders, news } = this.#options
    return news.listen(() => {
      if (folders.mayHave(flows)) wake()
    })
  }
}
