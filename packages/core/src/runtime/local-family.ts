/**
 * The runs of one tree in this process, where no store keeps them: each is a `LocalRun`, and what one has to tell
 * another it tells at once.
 */
import { codedError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { type ChildEnd, endAsSignal, type Related, type RunMessage } from '../model/message.ts'
import type { NewRun } from '../model/run.ts'
import { lastingIdOf } from '../model/succession.ts'
import type { Notice } from '../ports/notice.ts'
import type { LocalLimiters } from './local-limiters.ts'

/** A run as its relatives see it. */
export interface Relative extends Related {
  notify(notice: Notice): void
  /** Whether this start asks for the run that it is. */
  isSameStart(run: NewRun): boolean
  readonly hasEnded: boolean
  /** How it has ended. */
  end(): ChildEnd
  /** A child of it began to run, or came to rest. */
  childBegan(): void
  childRests(error?: unknown): void
  /** Nobody goes on with it. */
  abandon(): void
}

interface Begin {
  /** Makes the run of a child. It rests when it has ended, or waits for the outside. */
  child(run: NewRun): { readonly relative: Relative; readonly rested: Promise<unknown> }
  /** Makes the run that goes on for the one that asks. */
  successor(run: NewRun): Relative
}

/** A run by its id, or the one that goes on for it now. */
interface Place {
  /** The run that was started. */
  readonly first: Relative
  current: Relative
}

export class LocalFamily {
  readonly #runs = new Map<RunId, Place>()

  add(run: Relative): Place {
    const place = { first: run, current: run }
    this.#runs.set(run.runId, place)
    return place
  }

  has(runId: RunId): boolean {
    return this.#runs.has(runId)
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
          if (body.run.lineage?.succession === undefined) this.#start(from, body.run, begin)
          else this.#succeed(from, body.run, begin)
          break
        case 'cancel': {
          const child = this.#runs.get(to)?.current
          // A run of that id may be another one's child.
          if (child?.lineage?.parentRunId !== lastingIdOf(from)) break
          child.notify({ type: 'cancel', runId: to, reason: body.reason })
          break
        }
        case 'cancel-run':
          this.#runs.get(to)?.current.notify({ type: 'cancel', runId: to, reason: body.reason })
          break
        case 'signal': {
          const { name, payload } = body
          const news = { name, ...(payload === undefined ? {} : { payload }), signalId: `${from.runId}/${key}` }
          this.#runs.get(to)?.current.notify({ type: 'signal', runId: to, ...news })
          break
        }
        case 'child-ended':
          this.#tellEnd(to, from, from.end())
          break
      }
    }
  }

  #tellEnd(to: RunId, run: Related, end: ChildEnd): void {
    const asSignal = endAsSignal(run, end.status)
    this.#runs
      .get(to)
      ?.current.notify(
        asSignal === undefined
          ? { type: 'child-ended', runId: to, childRunId: lastingIdOf(run), end }
          : { type: 'signal', runId: to, ...asSignal },
      )
  }

  abandon(): void {
    for (const { current } of this.#runs.values()) current.abandon()
  }

  #start(parent: Relative, run: NewRun, begin: Begin): void {
    const { runId } = run
    const known = this.#runs.get(runId)
    if (known !== undefined) return this.#askAgain(parent, run, known)
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

  /** A run that goes on as new may ask for a child that an earlier one of its row has had. */
  #askAgain(parent: Relative, run: NewRun, { first, current }: Place): void {
    const { runId } = run
    if (first.runId !== runId || !first.isSameStart(run)) {
      this.#tellEnd(parent.runId, run, { status: 'failed', error: codedError('RUN_EXISTS', `run ${runId}`) })
    } else if (current.hasEnded) this.#tellEnd(parent.runId, current, current.end())
  }

  #succeed(from: Relative, run: NewRun, begin: Begin): void {
    const place = this.#runs.get(from.runId) ?? this.add(from)
    const successor = begin.successor(run)
    place.current = successor
    this.#runs.set(successor.runId, place)
  }
}
