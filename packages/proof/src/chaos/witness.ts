/**
 * A log outside of the store, in which node code itself says that it runs. Each line is one write to a file opened with
 * O_APPEND, so that neither a kill nor another process can tear or lose one that was written.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

interface Line {
  readonly worker: string
  readonly runId: string
  readonly instanceId: string
  readonly fence: number
}

/** Node code was entered. */
export interface Ran extends Line {
  readonly what: 'ran'
  readonly attempt: number
}

/** Node code is through, and has not committed yet. */
export interface Left extends Line {
  readonly what: 'left'
}

/** A step of it was. */
export interface Stepped extends Line {
  readonly what: 'stepped'
  readonly step: string
}

/** The store has told a worker that a transition is committed. */
export interface Committed extends Line {
  readonly what: 'committed'
  readonly outcome: string
  readonly commitId: string
}

export type WitnessLine = Ran | Left | Stepped | Committed

type Told<Each> = Each extends Line ? Omit<Each, 'worker'> : never

export class Witness {
  readonly #fd: number
  readonly #worker: string

  constructor(path: string, worker: string) {
    this.#fd = openSync(path, 'a')
    this.#worker = worker
  }

  tell(line: Told<WitnessLine>): void {
    writeSync(this.#fd, `${JSON.stringify({ worker: this.#worker, ...line })}\n`)
  }
}

/** Reads the log while it grows. */
export class WitnessReader {
  readonly #fd: number
  readonly #lines: WitnessLine[] = []
  #position = 0
  #rest = ''

  constructor(path: string) {
    this.#fd = openSync(path, 'a+')
  }

  get lines(): readonly WitnessLine[] {
    return this.#lines
  }

  /** Takes in what has come since. @returns the new lines */
  read(): readonly WitnessLine[] {
    const from = this.#lines.length
    const chunk = Buffer.alloc(64 * 1024)
    for (;;) {
      const count = readSync(this.#fd, chunk, 0, chunk.length, this.#position)
      if (count === 0) return this.#lines.slice(from)
      this.#position += count
      // All of it is plain ASCII.
      const parts = (this.#rest + chunk.toString('latin1', 0, count)).split('\n')
      this.#rest = parts.pop() ?? ''
      for (const part of parts) this.#lines.push(JSON.parse(part) as WitnessLine)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
