/** One index of runs by their marks. */

import { BatonError } from '@baton/core'
import type { MarkedPage, MarkedRuns, RunId } from '@baton/core/adapter'
import type { Keys } from '../keys.ts'
import type { Indexes } from './indexes.ts'
import type { ScriptLine } from './script-line.ts'

export interface MarkedInRedisOptions {
  /** The key of the index. */
  readonly key: string
  readonly keys: Keys
  readonly indexes: Indexes
  readonly line: ScriptLine
}

export class MarkedInRedis implements MarkedRuns {
  readonly #options: MarkedInRedisOptions

  constructor(options: MarkedInRedisOptions) {
    this.#options = options
  }

  async next(untilMs: number, stayed: number, most: number): Promise<MarkedPage> {
    const { key, indexes } = this.#options
    const runIds = (await indexes.marked(key, untilMs, stayed, most)) as readonly RunId[]
    return { runIds, isLast: runIds.length < most }
  }

  /** One that is damaged keeps it. */
  async strike(runId: RunId): Promise<boolean> {
    const { key, keys, line } = this.#options
    const step = { name: 'index', keys: [keys.log(runId), key], words: '0 - - - . . 0', texts: [] } as const
    return (await unlessCorrupt(line.send(step)))?.count === 1
  }
}

/** What is wrong with one run is not for those who look at all. @returns undefined where it is */
export async function unlessCorrupt<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (BatonError.is(error, 'STORE_CORRUPT')) return undefined
    throw error
  }
}
