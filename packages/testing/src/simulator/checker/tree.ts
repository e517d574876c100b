/** What must be so between runs: who was started by whom, who was told what, and that nothing is forgotten before it was heard. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent, RunSummary } from '@baton/core'
import type { Told } from './family-model.ts'
import type { RunModel } from './run-model.ts'
import { Violation } from './violation.ts'

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>

/** What people say who call a run off. A run that is called off by its parent hears another reason. */
export const ENOUGH = 'enough'

export interface Runs {
  model(runId: string): RunModel | undefined
  summary(runId: string): RunSummary | undefined
}

export class Tree {
  readonly #runs: Runs
  readonly #inVain = new Set<string>()

  constructor(runs: Runs) {
    this.#runs = runs
  }

  saw(runId: string, event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        return this.#started(runId, event)
      case 'child-ended':
        return this.#childEnded(runId, event)
      case 'run-cancel-requested':
        if (event.reason === ENOUGH) return
        return this.#must(runId, this.#wasTold(this.#parentOf(runId), `cancel:${runId}`, runId), 'nobody called it off')
      case 'signal-received': {
        const [from, key] = event.signalId?.split('/') ?? []
        if (from === undefined || key === undefined) return
        const told = `${event.name} came from ${from}, which has not sent it`
        return this.#must(runId, this.#wasTold(from, key, runId), told)
      }
      default:
        return
    }
  }

  /** A signal came to a run that was not there: it was heard by nobody, and that is all that can come of it. */
  heardByNobody(signalId: string): void {
    this.#inVain.add(signalId)
  }

  /** The store is asked to forget what a run had to tell. */
  forgets(runId: string, keys: readonly string[]): void {
    const family = this.#runs.model(runId)?.family
    for (const key of keys) {
      const told = family?.told.get(key)
      if (family?.outbox.delete(key) !== true || told === undefined) continue
      this.#must(runId, this.#hasHeard(runId, key, told), `${key} is forgotten before ${told.to} has heard of it`)
    }
  }

  #started(runId: string, { head, input }: EventOf<'run-started'>): void {
    const { parentRunId } = head.lineage
    if (parentRunId === undefined) return
    const child = this.#runs.model(parentRunId)?.family.children.get(runId)
    const isKnown = child !== undefined && child.run.flowId === head.flowId
    this.#must(runId, isKnown, `it is no child that ${parentRunId} has recorded`)
    this.#must(runId, isDeepStrictEqual(child?.run.input, input), 'it was started with another input')
  }

  #childEnded(runId: string, { childRunId, end }: EventOf<'child-ended'>): void {
    if (this.#parentOf(childRunId) !== runId) {
      const isRefused = end.status === 'failed' && end.error.code === 'RUN_EXISTS'
      return this.#must(runId, isRefused, `${childRunId} is none of its children, and is told to have ended`)
    }
    const summary = this.#runs.summary(childRunId)
    const isSame = summary?.status === end.status
    this.#must(runId, isSame, `${childRunId} is told to be ${end.status}, and is ${summary?.status}`)
    if (end.status !== 'completed') return
    this.#must(runId, isDeepStrictEqual(summary?.output, end.output), `${childRunId} has another output than was told`)
  }

  /** It took effect, or it never will. */
  #hasHeard(from: string, key: string, { type, to }: Told): boolean {
    const receiver = this.#runs.model(to)
    const sender = this.#runs.model(from)
    const isOver = receiver?.end !== undefined
    switch (type) {
      case 'start': {
        if (receiver !== undefined && this.#parentOf(to) === from) return true
        return sender?.end !== undefined || sender?.family.children.get(to)?.end !== undefined
      }
      case 'cancel':
        if (receiver === undefined || this.#parentOf(to) !== from)
          return sender?.family.outbox.has(`start:${to}`) !== true
        return isOver || receiver.isStopping
      case 'cancel-run':
        return receiver === undefined || isOver || receiver.isStopping
      case 'child-ended':
        return receiver === undefined || isOver || receiver.family.children.get(from)?.end !== undefined
      case 'signal':
        return isOver || this.#inVain.has(`${from}/${key}`) || receiver?.signalIds.has(`${from}/${key}`) === true
      // No flow of a simulated world has a limit.
      case 'slot-request':
      case 'slot-release':
      case 'slot-grant':
      case 'limiter-move':
        return true
    }
  }

  #wasTold(from: string | undefined, key: string, to: string): boolean {
    return from !== undefined && this.#runs.model(from)?.family.told.get(key)?.to === to
  }

  #parentOf(runId: string): string | undefined {
    return this.#runs.model(runId)?.family.parent
  }

  #must(runId: string, holds: boolean, message: string): void {
    if (!holds) throw new Violation('TREE', runId, message)
  }
}
