/** Reads the log of a run: the lines that others have written, and what lies beside them. */
import type { AppliedLog, Line, LineApart } from './applied-log.ts'
import { NO_LOG, REWOUND, type RunLog } from './log-backend.ts'

type Values = ReadonlyMap<string, string>

const NO_VALUES: Values = new Map()
const BEGINNING = { position: 0, stamp: '' }

export class LogReader {
  readonly #applied: AppliedLog
  readonly #log: RunLog
  readonly #sha256: (text: string) => string

  constructor(applied: AppliedLog, log: RunLog, sha256: (text: string) => string) {
    this.#applied = applied
    this.#log = log
    this.#sha256 = sha256
  }

  /** Reads until so many lines were applied, or all there are. @returns false where the run is not there, or not any more */
  async readUpTo(wanted: number): Promise<boolean> {
    const applied = this.#applied
    let end = wanted
    while (applied.position < end) {
      const answer = await this.#log.read(applied, end - applied.position)
      if (answer.count === NO_LOG) return false
      if (answer.count === REWOUND) applied.forget()
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
  async apply(texts: readonly string[]): Promise<boolean> {
    const lines = await this.#parse(texts)
    if (lines === undefined) return false
    const values = await this.#fetch(lines.flatMap(({ blobs }) => blobs.map(({ sha256 }) => sha256)))
    if (values === undefined) return false
    for (const line of lines) this.#applied.applyLine(line, values)
    return true
  }

  async #parse(texts: readonly string[]): Promise<readonly Line[] | undefined> {
    const parsed = texts.map((text) => this.#applied.parse(text))
    if (parsed.every(isHere)) return parsed
    const values = await this.#fetch(parsed.flatMap((line) => (isHere(line) ? [] : line.sha256)))
    return (
      values &&
      parsed.map((line) => (isHere(line) ? line : this.#applied.parseApart(line, values.get(line.sha256) ?? '')))
    )
  }

  /** @returns undefined where the run is gone */
  async #fetch(wanted: readonly string[]): Promise<Values | undefined> {
    if (wanted.length === 0) return NO_VALUES
    const digests = [...new Set(wanted)]
    const found = await this.#log.values(digests)
    const values = new Map<string, string>()
    for (const [index, sha256] of digests.entries()) {
      const text = found[index]
      if (typeof text !== 'string' || this.#sha256(text) !== sha256) {
        // A purge removes a value that is kept in parts part by part: what is left of it is another text.
        if (await this.#isGone()) return undefined
        throw this.#applied.corrupt(new Error(`the value ${sha256} is not there, or is another one`))
      }
      this.#applied.noteValue(text)
      values.set(sha256, text)
    }
    return values
  }

  /** Whether it was purged while we read it: of a log whose end is closed first the beginning may still be there. */
  async #isGone(): Promise<boolean> {
    return (await this.#log.read(BEGINNING, Number.MAX_SAFE_INTEGER)).count === NO_LOG
  }
}

function isHere(line: Line | LineApart): line is Line {
  return 'command' in line
}
