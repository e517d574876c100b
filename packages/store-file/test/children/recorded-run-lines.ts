/**
 * `run-lines.ts`, and a record of what is surely on the disk: for each sync that is over, the file and how much of it
 * there was when the sync began. The record is the last argument.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const record = fs.openSync(process.argv.at(-1) ?? '', 'a')
const { fdatasync, fdatasyncSync } = fs

function lookAt(fd: number): string {
  const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
  return `${JSON.stringify({ path, bytes: path.includes('/redo/') ? usedBytes(path) : fs.fstatSync(fd).size })}\n`
}

/** Without the zeros ahead. */
function usedBytes(path: string): number {
  return fs.readFileSync(path).findLastIndex((byte) => byte !== 0) + 1
}

fs.fdatasyncSync = (fd) => {
  const seen = lookAt(fd)
  fdatasyncSync(fd)
  fs.writeSync(record, seen)
}
fs.fdatasync = Object.assign(
  (fd: number, callback: fs.NoParamCallback) => {
    const seen = lookAt(fd)
    fdatasync(fd, (error) => {
      if (error === null) fs.writeSync(record, seen)
      callback(error)
    })
  },
  { __promisify__: fdatasync.__promisify__ },
)
syncBuiltinESMExports()

await import('./run-lines.ts')
