/** What has come to a journal sink, against the journals of the runs: all of it, nothing else, and in order where it is new. */
import { isDeepStrictEqual } from 'node:util'
import type { JournalEntry, RunEvent } from '@baton/core'
import { Violation } from './violation.ts'

const NOTE = 'journal:'

export class Published {
  /** By run: up to which event all have come. */
  readonly #upTo = new Map<string, number>()
  /** Entries that have come for the second time, or more. */
  doubles = 0

  get count(): number {
    return [...this.#upTo.values()].reduce((sum, upTo) => sum + upTo, 0)
  }

  took(runId: string, entries: readonly JournalEntry[], journal: readonly RunEvent[]): void {
    for (const { id, seq, event, runId: of } of entries) {
      const isTrue = of === runId && id === `${runId}/${seq}` && isDeepStrictEqual(journal[seq - 1], event)
      if (!isTrue) throw new Violation('PUBLISH', runId, `${id} is published, and is not in the journal`)
      const upTo = this.#upTo.get(runId) ?? 0
      if (seq > upTo + 1) throw new Violation('PUBLISH', runId, `${id} is published before event ${upTo + 1}`)
      if (seq <= upTo) this.doubles += 1
      this.#upTo.set(runId, Math.max(upTo, seq))
    }
  }

  /** The store is told that all events up to one were published. @returns that one; 0 where it is told something else */
  noted(runId: string, key: string): number {
    if (!key.startsWith(NOTE)) return 0
    const seq = Number(key.slice(NOTE.length))
    const upTo = this.#upTo.get(runId) ?? 0
    if (seq > upTo) throw new Violation('PUBLISH', runId, `${key} is noted, and published is ${upTo}`)
    return seq
  }
}
