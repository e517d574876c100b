import type { FileRunStoreOptions } from '../../src/options.ts'
import { FileRunStore } from '../../src/run-store.ts'

/** Does something with a store of its own on that folder: what was hurt is met by somebody who has seen nothing of it. */
export async function withStore<Result>(
  options: FileRunStoreOptions,
  work: (store: FileRunStore) => Promise<Result>,
): Promise<Result> {
  const store = new FileRunStore(options)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
