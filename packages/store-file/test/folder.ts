/** A folder of its own for each test, removed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestFolder {
  readonly path: string
  remove(): void
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'baton-file-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
