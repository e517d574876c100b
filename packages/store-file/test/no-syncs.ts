/** For tests that open thousands of folders and are not about the disk: a sync is done as soon as it is asked for. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** @returns how to get syncs back */
export function withoutSyncs(): () => void {
  const { fdatasync, fdatasyncSync, fsync, fsyncSync } = fs
  const done = (_fd: number, callback: fs.NoParamCallback) => setImmediate(callback, null)
  Object.assign(fs, { fdatasync: done, fsync: done, fdatasyncSync: () => {}, fsyncSync: () => {} })
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { fdatasync, fdatasyncSync, fsync, fsyncSync })
    syncBuiltinESMExports()
  }
}
