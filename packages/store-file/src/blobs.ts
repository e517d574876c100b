/** The large values of a run, each in a file that is named by its SHA-256. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { BatonError } from '@baton/core'
import type { Blob, JsonValue } from '@baton/core/adapter'
import { type FolderSync, makeFolder, writeNewFile } from './disk.ts'
import { hasCode, onDisk, storeFailure } from './failure.ts'
import type { RunPaths } from './paths.ts'

/** What a large value is known by. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Writes what is not there yet; when this resolves, a line may refer to all of them. */
export async function writeBlobs(
  run: RunPaths,
  blobs: readonly Blob[],
  { folders, fsynced }: { readonly folders: FolderSync; readonly fsynced: boolean },
): Promise<void> {
  if (blobs.length === 0) return
  try {
    makeFolder(run.blobs)
    // So that a purge does not take it, and what is in it already, for what a start that died has left.
    const now = new Date()
    utimesSync(run.blobs, now, now)
    for (const { sha256, text } of blobs) {
      const path = join(run.blobs, sha256)
      if (existsSync(path)) continue
      const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
      await writeNewFile(draft, text, fsynced)
      renameSync(draft, path)
    }
    // Also for those that were there: whoever wrote them may not have come this far.
    if (fsynced) await Promise.all([folders.sync(run.blobs), folders.sync(run.folder)])
  } catch (error) {
    throw storeFailure(error, `writing values of ${run.name}`)
  }
}

export function readBlob(run: RunPaths, sha256: string): { readonly value: JsonValue; readonly bytes: number } {
  const path = join(run.blobs, sha256)
  const bytes = onDisk(`reading a value of ${run.name}`, () => readIfThere(path))
  if (bytes === undefined) throw new BatonError('STORE_CORRUPT', { message: `${path} is missing` })
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new BatonError('STORE_CORRUPT', { message: `${path} is not what was written` })
  }
  return { value: JSON.parse(bytes.toString('utf8')) as JsonValue, bytes: bytes.length }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
