/** What is made once on this machine, and kept beside the installed packages. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.ts'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/baton-services', import.meta.url))

export function isMade(name: string): boolean {
  return existsSync(join(CACHE, name))
}

/** The path of the file or folder that `make` has made, now or earlier, at the path that it was given. */
export async function madeOnce(name: string, make: (fresh: string) => Promise<void>): Promise<string> {
  const kept = join(CACHE, name)
  if (existsSync(kept)) return kept
  mkdirSync(CACHE, { recursive: true })
  // One at a time: Maven's own store does not bear two processes that fetch the same archive.
  return withLock(join(CACHE, 'lock'), async () => {
    if (existsSync(kept)) return kept
    const place = mkdtempSync(join(CACHE, `.${name}-`))
    try {
      const fresh = join(place, name)
      await make(fresh)
      // Under its name it is whole, or not there.
      renameSync(fresh, kept)
      return kept
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })
}
