import type { RunId } from '../model/ids.ts'
import type { NewRun } from '../model/run.ts'
import type { DueItem, IRunStore } from '../ports/run-store.ts'

/** A message that the store has kept, as it lies in its sender's outbox. */
export type DueMessage = DueItem & { readonly type: 'message' }

interface FoundStart {
  /** The start as it lies there. */
  readonly item: DueMessage
  readonly run: NewRun
}

/** Of the messages of one run that are looked through for a start. */
const LOOK_LIMIT = 1_000

/**
 * Looks for the start of a run among what another one still has to say: a run may be known of, and nobody has made it yet.
 *
 * @param until the key of a message: what was posted after it is not looked at
 * @returns `unseen` where it is not among what was looked through, but there is more than that
 */
export async function findStart(
  store: Pick<IRunStore, 'due'>,
  from: RunId,
  to: RunId,
  until?: string,
): Promise<FoundStart | 'unseen' | undefined> {
  const items = await store.due({ limit: LOOK_LIMIT, runId: from })
  for (const item of items) {
    if (item.type !== 'message') continue
    const { key, to: receiver, body } = item.message
    if (key === until) return undefined
    if (receiver === to && body.type === 'start') return { item, run: body.run }
  }
  return items.length < LOOK_LIMIT ? undefined : 'unseen'
}
