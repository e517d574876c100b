/**
 * Folders on the disk that temporary files are on.
 *
 * ext4 without a journal does not use the inode of a removed file again for up to five minutes, and takes 40 times as long
 * to make a file while it looks past thousands of them (measured: 20 µs, and 730). So a sample leaves its folder behind
 * and all of them go at the end; and who finds the disk in that state, because tests or another benchmark have just tidied
 * up, waits.
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

const ROOT = 'BATON_BENCH_FOLDER'

/** Longer than a disk takes that is not looking for inodes. */
const SLOW_MS = 0.15
/** About as many as a sample makes: the first inodes that are free may be old ones. */
const PROBES = 3_000
const PAUSE_MS = 10_000
const LONGEST_WAIT_MS = 330_000

/** In the process that takes the samples. */
export class Scratch {
  readonly #root = mkdtempSync(join(tmpdir(), 'baton-bench-'))

  /** What samples are started with. */
  readonly env: NodeJS.ProcessEnv = { ...process.env, [ROOT]: this.#root }

  /** Waits until files are made as fast as they can be; not for ever, the disk may just be slow. */
  async calm(say: (line: string) => void): Promise<void> {
    const untilMs = performance.now() + LONGEST_WAIT_MS
    for (let probe = 0; performance.now() < untilMs; probe++) {
      const tookMs = this.#probe(String(probe))
      if (tookMs < SLOW_MS) return
      const us = Math.round(tookMs * 1_000)
      say(
        `making a file takes ${us} µs, as it does after many were removed; waiting until that is over (5 minutes at most)`,
      )
      await setTimeout(PAUSE_MS)
    }
  }

  /** @returns milliseconds for one file */
  #probe(name: string): number {
    const folder = join(this.#root, `probe-${name}`)
    mkdirSync(folder)
    const from = performance.now()
    for (let count = 0; count < PROBES; count++) closeSync(openSync(join(folder, String(count)), 'a'))
    return (performance.now() - from) / PROBES
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

/** In a sample: a folder of its own. */
export function scratchFolder(): string {
  return mkdtempSync(join(process.env[ROOT] ?? tmpdir(), 'sample-'))
}
