import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { rateOf } from '../rate.ts'
import type { Meter } from './meter.ts'
import { scratchFolder } from './scratch.ts'

const RECORD = Buffer.alloc(200, 'a')

/**
 * The machine's own rate of durable appends to one file: `write(2)` of 200 bytes on an O_APPEND descriptor, then
 * `fdatasync(2)`, both synchronous, nothing else.
 */
export const appendFdatasync: Meter = async () => {
  const fd = openSync(join(scratchFolder(), 'log'), 'a')
  const rate = await rateOf(async () => {
    writeSync(fd, RECORD)
    fdatasyncSync(fd)
  })
  closeSync(fd)
  return [{ unit: 'appends/s', value: rate }]
}
