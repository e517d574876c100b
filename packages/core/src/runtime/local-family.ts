/**
 * The runs of one tree in this process, where no store keeps them: each is a `LocalRun`, and what one has to tell
 * another it tells at once.
 */
import { codedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import type { ChildEnd, RunMessage } from '../model/message.ts'
import type { NewRun } from '../model/run.ts'
import type { Notice } from '../ports/notice.ts'

/** A run as its relatives see it. */
export interface Relative {
  readonly runId: RunId
  /** By which it and those that go on for it are known. */
  readonly lastingId: RunId
  notify(notice: Notice): void
  /** How it has ended. */
  end(): ChildEnd
  /** A child of it began to run, or came to rest. */
  childBegan(): void
  childRests(error?: unknown): void
}

interface Begin {
  /** Makes the run of a child. It rests when it has ended, or waits for the outside. */
  child(run: NewRun): { readonly relative: Relative; readonly rested: Promise<unknown> }
  /** Makes the run that goes on for the one that asks. */
  successor(run: NewRun): Relative
}

/** A run by its id, or the one that goes on for it now. */
interface Place {
  current: Relative
}

export class LocalFamily {
  readonly #runs = new Map<RunId, Place>()

  add(run: Relative): Place {
    const place = { current: run }
    this.#runs.set(run.runId, place)
    return place
  }

  deliver(from: Relative, messages: readonly RunMessage[], begin: Begin): void {
    for (const { key, to, body } of messages) {
      switch (body.type) {
        case 'start':
          if (body.run.lineage?.succession === undefined) this.#start(from, body.run, begin)
          else this.#succeed(from, body.run, begin)
          break
        case 'cancel':
          this.#runs.get(to)?.current.notify({ type: 'cancel', runId: to, reason: body.reason })
          break
        case 'signal': {
          const { name, payload } = body
          const news = { name, ...(payload === undefined ? {} : { payload }), signalId: `${from.runId}/${key}` }
          this.#runs.get(to)?.current.notify({ type: 'signal', runId: to, ...news })
          break
        }
        case 'child-ended':
          this.#runs.get(to)?.current.notify({
            type: 'child-ended',
            runId: to,
            childRunId: from.lastingId,
            end: from.end(),
          })
          break
      }
    }
  }

  #start(parent: Relative, run: NewRun, begin: Begin): void {
    const { runId } = run
    if (this.#runs.has(runId)) {
      const end: ChildEnd = { status: 'failed', error: codedError('RUN_EXISTS', `run ${runId}`) }
      parent.notify({ type: 'child-ended', runId: parent.runId, childRunId: runId, end })
      return
    }
    // By the time that the child rests, another run may go on for its parent.
    const place = this.#runs.get(parent.runId) ?? this.add(parent)
    parent.childBegan()
    const { relative, rested } = begin.child(run)
    this.add(relative)
    rested.then(
      () => place.current.childRests(),
      (error: unknown) => place.current.childRests(error),
    )
  }

  #succeed(from: Relative, run: NewRun, begin: Begin): void {
    const place = this.#runs.get(from.runId) ?? this.add(from)
    const successor = begin.successor(run)
    place.current = successor
    this.#runs.set(successor.runId, place)
  }
}
