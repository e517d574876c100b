/** Reads the log of a run: the lines that others have written, and the large values that lie beside them. */
import { createHash } from 'node:crypto'
import type { AppliedLog } from './applied-log.ts'
import type { LogKeys } from './log-steps.ts'
import { MOST_LINES, REWOUND, type ScriptLine } from './script-line.ts'

export interface LogSource {
  readonly line: ScriptLine
  readonly readBlobs: (key: string, digests: readonly string[]) => Promise<readonly (string | null)[]>
}

const NONE: readonly never[] = []
const NO_VALUES: ReadonlyMap<string, string> = new Map()

export class LogReader {
  readonly #log: AppliedLog
  readonly #keys: LogKeys
  readonly #source: LogSource

  constructor(log: AppliedLog, keys: LogKeys, source: LogSource) {
    this.#log = log
    this.#keys = keys
    this.#source = source
  }

  /** Reads until so many lines were applied, or all there are. @returns false where the run is not there, or not any more */
  async readUpTo(wanted: number): Promise<boolean> {
    const log = this.#log
    let end = wanted
    while (log.position < end) {
      const most = Math.min(MOST_LINES, end - log.position)
      const words = `${log.position} ${log.stamp || '-'} ${most}`
      const answer = await this.#source.line.send({ name: 'read', keys: [this.#keys.log], words, texts: NONE })
      if (answer.count === 0) return false
      if (answer.count === REWOUND) log.forget()
      else if (answer.lines.length === 0) return true
      else {
        // What comes after is not waited for: whoever reads what is written on and on would never be done.
        end = Math.min(end, answer.count)
        if (!(await this.apply(answer.lines))) return false
      }
    }
    return true
  }

  /** @returns false where the run was purged while its values were read; then nothing was applied */
  async apply(lines: readonly string[]): Promise<boolean> {
    const parsed = lines.map((line) => this.#log.parse(line))
    const digests = new Set(parsed.flatMap(({ blobs }) => blobs.map(({ sha256 }) => sha256)))
    const values = digests.size === 0 ? NO_VALUES : await this.#fetch([...digests])
    if (values === undefined) return false
    for (const line of parsed) this.#log.applyLine(line, values)
    return true
  }

  /** @returns undefined where the run is gone */
  async #fetch(digests: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    const found = await this.#source.readBlobs(this.#keys.blobs, digests)
    const values = new Map<string, string>()
    for (const [index, sha256] of digests.entries()) {
      const text = found[index]
      if (text === null && (await this.#isGone())) return undefined
      if (typeof text !== 'string' || createHash('sha256').update(text).digest('hex') !== sha256) {
        throw this.#log.corrupt(new Error(`the value ${sha256} is not there, or is another one`))
      }
      this.#log.noteValue(text)
      values.set(sha256, text)
    }
    return values
  }

  /** Whether it was purged while we read it. */
  async #isGone(): Promise<boolean> {
    const step = { name: 'read', keys: [this.#keys.log], words: '0 - 1', texts: NONE } as const
    return (await this.#source.line.send(step)).count === 0
  }
}
