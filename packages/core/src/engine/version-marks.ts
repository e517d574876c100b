import { flowAtVersion } from '../model/ids.ts'
import { canonicalText, type JsonValue } from '../model/json.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { ILogger } from '../ports/logger.ts'
import type { Graph } from './graph.ts'
import { sha256 } from './sha256.ts'

/** A version that no worker has started with for so long may mean something else. */
const MARK_MS = 30 * 24 * 3_600_000
/** Of a blueprint's text: up to here it is its own mark, and nobody has to wait for a digest. */
const READABLE_LENGTH = 8_192

export interface MarkVersionsOptions {
  readonly coordinationStore: ICoordinationStore
  readonly logger: ILogger
  readonly workerId: string
}

/**
 * One version has one content, everywhere. A registry sees to that in its process; between processes each worker that
 * starts leaves a mark of its versions where the others find it, and says so loudly when another one is there. It
 * starts all the same: the mark may be an old one, and a fleet that is down helps nobody.
 */
export async function markVersions(
  graphs: readonly Graph[],
  { coordinationStore, logger, workerId }: MarkVersionsOptions,
): Promise<void> {
  for (const { flowId, version, blueprint } of graphs) {
    if (version === undefined) continue
    const key = `baton/version/${flowId}/${version}`
    const text = canonicalText(blueprint as unknown as JsonValue)
    const mark = text.length <= READABLE_LENGTH ? text : await sha256(text)
    if (await leaveMark(coordinationStore, key, mark)) continue
    const name = flowAtVersion(flowId, version)
    const message = `${name} has another content in other workers: give the changed flow a new version`
    logger.log('error', message, { workerId, key, mark })
  }
}

/** @returns false when another one is there */
async function leaveMark(store: ICoordinationStore, key: string, mark: string): Promise<boolean> {
  const options = { ttlMs: MARK_MS }
  if (await store.compareAndSet(key, mark, mark, options)) return true
  if (await store.setIfNotExist(key, mark, options)) return true
  // Somebody with the same one may have been faster.
  return store.compareAndSet(key, mark, mark, options)
}
