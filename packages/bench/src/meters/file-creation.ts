import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { rateOf } from '../rate.ts'
import type { Meter } from './meter.ts'
import { scratchFolder } from './scratch.ts'

/**
 * How fast the file system makes files, of which every run on files needs one. Far below 20,000 a second it is still busy
 * with files that were removed a while ago, and what `file-store` reaches is not its own.
 */
export const fileCreation: Meter = async () => {
  const folder = scratchFolder()
  let count = 0
  const rate = await rateOf(async () => {
    count += 1
    closeSync(openSync(join(folder, String(count)), 'a'))
  })
  return [{ unit: 'files/s', value: rate }]
}
