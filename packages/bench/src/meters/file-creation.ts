import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Meter } from './meter.ts'
import { scratchFolder } from './scratch.ts'

/** Few, because they have to be removed again, which is what makes the next ones slow. */
const FILES = 1_000

/**
 * How fast the file system makes files, of which every run on files needs one. Far below 20,000 a second it is still busy
 * with files that were removed a while ago, and what `file-store` reaches is not its own.
 */
export const fileCreation: Meter = async () => {
  const folder = scratchFolder()
  const from = performance.now()
  for (let count = 0; count < FILES; count++) closeSync(openSync(join(folder, String(count)), 'a'))
  return [{ unit: 'files/s', value: (FILES / (performance.now() - from)) * 1_000 }]
}
