/**
 * The runs of one tree in this process, where no store keeps them: each is a `LocalRun`, and what one has to tell
 * another it tells at once.
 */
import { codedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import type { NewRun } from '../model/run.ts'
import type { Notice } from '../ports/notice.ts'
import type { LocalLimiters } from './local-limiters.ts'

/** A run as its relatives see it. */
export interface Relative {
  readonly runId: RunId
  notify(notice: Notice): void
  /** How it has ended. */
  end(): ChildEnd
  /** A child of it began to run, or came to rest. */
  childBegan(): void
  childRests(error?: unknown): void
  /** Nobody goes on with it. */
  abandon(): void
}

/** Makes the run of a child. It rests when it has ended, or waits for the outside. */
type Begin = (run: NewRun) => { readonly relative: Relative; readonly rested: Promise<unknown> }

export class LocalFamily {
  readonly #runs = new Map<RunId, Relative>()

  add(run: Relative): void {
    this.#runs.set(run.runId, run)
  }

  /** @param limiters those of the whole process */
  deliver(from: Relative, messages: readonly RunMessage[], limiters: LocalLimiters, begin: Begin): void {
    for (const { key, to, body } of messages) {
      switch (body.type) {
        case 'slot-request':
          limiters.request(from, body.gate, body.priority)
          break
        case 'slot-release':
          limiters.release(from, to)
          break
        case 'start':
          this.#start(from, body.run, begin)
          break
        case 'cancel':
          this.#runs.get(to)?.notify({ type: 'cancel', runId: to, reason: body.reason })
          break
        case 'signal': {
          const { name, payload } = body
          const news = { name, ...(payload === undefined ? {} : { payload }), signalId: `${from.runId}/${key}` }
          this.#runs.get(to)?.notify({ type: 'signal', runId: to, ...news })
          break
        }
        case 'child-ended':
          this.#runs.get(to)?.notify({ type: 'child-ended', runId: to, childRunId: from.runId, end: from.end() })
          break
      }
    }
  }

  abandon(): void {
    for (const run of this.#runs.values()) run.abandon()
  }

  #start(parent: Relative, run: NewRun, begin: Begin): void {
    const { runId } = run
    if (this.#runs.has(runId)) {
      const end: ChildEnd = { status: 'failed', error: codedError('RUN_EXISTS', `run ${runId}`) }
      parent.notify({ type: 'child-ended', runId: parent.runId, childRunId: runId, end })
      return
    }
    parent.childBegan()
    const { relative, rested } = begin(run)
    this.add(relative)
    rested.then(
      () => parent.childRests(),
      (error: unknown) => parent.childRests(error),
    )
  }
}
