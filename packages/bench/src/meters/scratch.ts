/**
 * Folders on the disk that temporary files are on.
 *
 * ext4 without a journal does not use the inode of a removed file again for up to five minutes, and takes 40 times as long
 * to make a file while it looks past thousands of them (measured: 20 µs, and 730). So a sample leaves its folder behind
 * and all of them go at the end; and a sample that found the disk in that state, because tests or another benchmark have
 * just tidied up, is taken again.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

const ROOT = 'BATON_BENCH_FOLDER'

/** Longer than a disk takes that is not looking for inodes. */
const SLOW_MS = 0.15
const PROBES = 200
const PAUSE_MS = 20_000
const LONGEST_WAIT_MS = 330_000

/** In the process that takes the samples. */
export class Scratch {
  readonly #root = mkdtempSync(join(tmpdir(), 'baton-bench-'))

  /** What samples are started with. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, [ROOT]: this.#root }
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

/** In a sample: a folder of its own. */
export function scratchFolder(): string {
  return mkdtempSync(join(process.env[ROOT] ?? tmpdir(), 'sample-'))
}

/**
 * Takes a sample again, later, when making files was slow where it made its own; not for ever, the disk may just be slow.
 * @param take gets a folder, and says in which folders it has made files
 */
export async function onCalmDisk<Result>(
  take: (folder: string) => Promise<{ readonly result: Result; readonly places: readonly string[] }>,
): Promise<Result> {
  const untilMs = performance.now() + LONGEST_WAIT_MS
  for (;;) {
    const { result, places } = await take(scratchFolder())
    const tookMs = millisecondsPerFile(places)
    if (tookMs < SLOW_MS || performance.now() > untilMs) return result
    const us = Math.round(tookMs * 1_000)
    process.stderr.write(`making a file took ${us} µs, as it does for 5 minutes after many were removed: taken again\n`)
    await setTimeout(PAUSE_MS)
  }
}

function millisecondsPerFile(places: readonly string[]): number {
  const from = performance.now()
  for (let count = 0; count < PROBES; count++) {
    closeSync(openSync(join(places[count % places.length] ?? '', `probe-${count}`), 'a'))
  }
  return (performance.now() - from) / PROBES
}
