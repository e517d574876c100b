/** Removes runs that ended long ago, everything of a run together, and leaves a tombstone. */

import { isTerminal } from '@baton/core'
import type { PurgeOptions, RunId } from '@baton/core/adapter'
import type { Keys } from '../keys.ts'
import { type Indexes, shardsOf, unlessCorrupt } from './finding-due.ts'
import { parseNote, type StoredNote } from './notes.ts'
import type { ScriptLine } from './script-line.ts'

export interface RetentionOptions {
  readonly keys: Keys
  readonly indexes: Pick<Indexes, 'marked'> & {
    notes(key: string, runIds: readonly string[]): Promise<readonly (string | null)[]>
  }
  readonly line: (shard: number) => ScriptLine
  readonly tombstoneMs: number
  readonly forget: (runId: RunId) => void
}

const PAGE = 200

export async function purge(
  options: RetentionOptions,
  { endedBeforeMs, limit = 1_000 }: PurgeOptions,
): Promise<number> {
  let count = 0
  for (const shard of shardsOf(options.keys)) {
    for (let offset = 0; count < limit; ) {
      const runIds = await options.indexes.marked(
        options.keys.ofShard(shard).ended,
        // An instant that is not before.
        endedBeforeMs - 1,
        offset,
        Math.min(PAGE, limit - count),
      )
      if (runIds.length === 0) break
      const removed = await Promise.all(runIds.map((runId) => purgeOne(options, runId as RunId, endedBeforeMs)))
      const gone = removed.filter(Boolean).length
      count += gone
      offset += runIds.length - gone
    }
  }
  return count
}

async function purgeOne(options: RetentionOptions, runId: RunId, endedBeforeMs: number): Promise<boolean> {
  const { keys, line, tombstoneMs, forget } = options
  const note = await noteOn(options, runId)
  if (note?.lines === undefined || !(await mayGo(options, note, endedBeforeMs))) return false
  const step = {
    name: 'purge',
    keys: [keys.log(runId), keys.blobs(runId)],
    words: `${note.lines} ${tombstoneMs}`,
    texts: [],
  } as const
  const answer = await unlessCorrupt(line(keys.shardOf(runId)).send(step))
  if (answer?.count === 1) forget(runId)
  return answer?.count === 1
}

async function mayGo(options: RetentionOptions, note: StoredNote, endedBeforeMs: number): Promise<boolean> {
  if (note.rootRunId !== note.runId) {
    const root = await noteOn(options, note.rootRunId)
    if (root !== undefined && !isTerminal(root.status)) return false
  }
  // People know runs that go on for each other by the first one's id: it stays as long as the last of them.
  if (note.newestRunId === undefined || note.firstRunId !== undefined) return true
  const newest = await noteOn(options, note.newestRunId)
  if (newest === undefined) return true
  return newest.isContinued !== true && newest.endedAtMs !== undefined && newest.endedAtMs < endedBeforeMs
}

async function noteOn({ keys, indexes }: RetentionOptions, runId: RunId): Promise<StoredNote | undefined> {
  const [text] = await indexes.notes(keys.ofShard(keys.shardOf(runId)).notes, [runId])
  return parseNote(text)
}
