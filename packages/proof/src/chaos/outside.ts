/**
 * The world outside of the store, as far as node code depends on it: what is broken there until an operator mends it. It is
 * kept in files, and outlives everybody.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class Outside {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  mend(runId: string): void {
    writeFileSync(join(this.#directory, matterOf(runId)), '')
  }

  isMended(runId: string): boolean {
    return existsSync(join(this.#directory, matterOf(runId)))
  }
}

/** What was started by a client: a run and all that take it up are about one matter. */
function matterOf(runId: string): string {
  return runId.split(':')[0] ?? runId
}
