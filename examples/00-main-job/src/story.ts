/** What happened, as the run's journal tells it: a fold of its events, and nothing else. */
import type { RunEvent } from '@baton/core'

/** A claim that ended with its lease, and how the instance went on. */
export interface Lost {
  readonly instanceId: string
  readonly by: string
}

export class Story {
  /** Who holds which instance now. */
  readonly #holders = new Map<string, string>()
  readonly #finishedBy = new Map<string, string>()
  readonly #lost: Lost[] = []
  #files: number | undefined
  #filesDone = 0
  #startedAtMs: number | undefined
  #lastAtMs = 0
  #end: 'completed' | 'failed' | 'cancelled' | undefined
  #failure: string | undefined

  apply(event: RunEvent): void {
    this.#startedAtMs ??= event.atMs
    this.#lastAtMs = event.atMs
    switch (event.type) {
      case 'map-expanded':
        this.#files = event.items.length
        this.#holders.delete(event.instanceId)
        return
      case 'node-claimed':
        this.#holders.set(event.instanceId, event.workerId)
        return
      case 'node-lost':
        this.#lost.push({ instanceId: event.instanceId, by: event.workerId })
        this.#holders.delete(event.instanceId)
        return
      case 'node-succeeded':
        if (isFile(event.instanceId)) this.#filesDone += 1
        this.#finishedBy.set(event.instanceId, this.#holders.get(event.instanceId) ?? 'nobody')
        this.#holders.delete(event.instanceId)
        return
      case 'node-released':
      case 'attempt-failed':
      case 'node-failed':
        this.#holders.delete(event.instanceId)
        return
      case 'run-completed':
        this.#end = 'completed'
        return
      case 'run-failed':
        this.#end = 'failed'
        this.#failure = event.error.message
        return
      case 'run-cancelled':
        this.#end = 'cancelled'
        this.#failure = event.reason
    }
  }

  /** How many files there are; undefined until the list is known. */
  get files(): number | undefined {
    return this.#files
  }

  get filesDone(): number {
    return this.#filesDone
  }

  get end() {
    return this.#end
  }

  get failure(): string | undefined {
    return this.#failure
  }

  get durationMs(): number {
    return this.#startedAtMs === undefined ? 0 : this.#lastAtMs - this.#startedAtMs
  }

  holderOf(instanceId: string): string | undefined {
    return this.#holders.get(instanceId)
  }

  finisherOf(instanceId: string): string | undefined {
    return this.#finishedBy.get(instanceId)
  }

  /** The files that a worker has a claim on at this moment. */
  filesHeldBy(workerId: string): readonly string[] {
    return [...this.#holders].flatMap(([instanceId, holder]) =>
      holder === workerId && isFile(instanceId) ? [instanceId] : [],
    )
  }

  finishedBy(workerId: string): readonly string[] {
    return [...this.#finishedBy].flatMap(([instanceId, finisher]) => (finisher === workerId ? [instanceId] : []))
  }

  /** Instances that a second worker finished after the first one's lease was over. */
  get recovered(): readonly (Lost & { readonly finishedBy: string })[] {
    const byInstance = new Map(this.#lost.map((lost) => [lost.instanceId, lost]))
    return [...byInstance.values()].flatMap((lost) => {
      const finishedBy = this.#finishedBy.get(lost.instanceId)
      return finishedBy === undefined || finishedBy === lost.by ? [] : [{ ...lost, finishedBy }]
    })
  }
}

export function isFile(instanceId: string): boolean {
  return instanceId.startsWith('analyse[')
}
