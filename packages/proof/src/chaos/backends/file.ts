import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileCoordinationStore, FileJobQueue, FileRunStore } from '@baton/store-file'
import type { Backend } from '../backend.ts'

/** A folder, as it comes: durability `power`, so that redo logs are left by those who die, and recovered from. */
export const backend: Backend = {
  name: 'file',
  async prepare() {
    const address = mkdtempSync(join(tmpdir(), 'baton-chaos-'))
    return { address, remove: async () => rmSync(address, { recursive: true, force: true }) }
  },
  async open(directory, { leaseMs }) {
    return {
      store: new FileRunStore({ directory, redispatchMs: leaseMs, redispatchMaxMs: 8 * leaseMs }),
      queue: new FileJobQueue({ directory, visibilityMs: 2 * leaseMs }),
      coordinationStore: new FileCoordinationStore({ directory }),
    }
  },
}
