/** A worker whose store does not look at fences: whoever renews has the claim, and whoever commits has committed. */
import type { IRunStore } from '@baton/core'
import type { CommitResult, RenewRequest, RenewResult, Transition } from '@baton/core/adapter'
import { runWorker } from '../../src/chaos/run-worker.ts'
import { withMethods } from '../../src/chaos/watched-store.ts'

function unfenced(store: IRunStore): IRunStore {
  return withMethods(store, {
    async commit(transition: Transition): Promise<CommitResult> {
      const result = await store.commit(transition)
      if (result.status !== 'fenced') return result
      return { status: 'committed', ready: [], run: { status: 'running', stopping: false, seq: 0 } }
    },
    async renew(request: RenewRequest): Promise<RenewResult> {
      return { ...(await store.renew(request)), lost: [] }
    },
  })
}

await runWorker(unfenced)
