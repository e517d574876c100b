/** The log of one run in Redis: its calls as steps of the script. */
import {
  type Creation,
  type Drafted,
  type Known,
  type LogAnswer,
  MADE,
  type MarkMove,
  type RunId,
  type RunLog,
} from '@baton/core/adapter'
import { appendStep, createStep, type LogKeys, markStep, purgeStep } from './log-steps.ts'
import { unlessCorrupt } from './marked-in-redis.ts'
import { MOST_LINES, type ScriptLine } from './script-line.ts'

/** What the runs of a shard have in common. */
export interface ShardAccess {
  readonly line: ScriptLine
  /** The key under which a run stands as due, by its flow. */
  readonly dueKey: (flow: { readonly flowId: string; readonly version?: string | undefined }) => string
  readonly readBlobs: (key: string, digests: readonly string[]) => Promise<readonly (string | null)[]>
}

const NONE: readonly never[] = []

export class RedisRunLog implements RunLog {
  readonly runId: RunId
  readonly #keys: LogKeys
  readonly #shard: ShardAccess

  constructor(runId: RunId, keys: LogKeys, shard: ShardAccess) {
    this.runId = runId
    this.#keys = keys
    this.#shard = shard
  }

  get name(): string {
    return this.#keys.log
  }

  async create(creation: Creation): Promise<LogAnswer> {
    const { line, dueKey } = this.#shard
    const answer = await line.send(createStep(this.#keys, dueKey(creation.run), creation))
    const isMade = answer.count === 1 && Number(answer.lines[0]) === 0
    return isMade ? { nowMs: answer.nowMs, count: MADE, lines: NONE } : answer
  }

  append(known: Known, lines: readonly Drafted[]): Promise<LogAnswer> {
    return this.#shard.line.send(appendStep(this.#keys, known, lines))
  }

  read({ position, stamp }: Known, most: number): Promise<LogAnswer> {
    const words = `${position} ${stamp || '-'} ${Math.min(MOST_LINES, most)}`
    return this.#shard.line.send({ name: 'read', keys: [this.#keys.log], words, texts: NONE })
  }

  values(digests: readonly string[]): Promise<readonly (string | null)[]> {
    return this.#shard.readBlobs(this.#keys.blobs, digests)
  }

  async mark(known: Known, move: MarkMove): Promise<boolean> {
    const { line, dueKey } = this.#shard
    const step = markStep(this.#keys, dueKey(move.flow), known, move)
    return (await (move.isAwaited ? line.send(step) : line.sendAlong(step))).count === 1
  }

  async purge(lines: number, tombstoneMs: number): Promise<boolean> {
    const step = purgeStep(this.#keys, lines, tombstoneMs)
    return (await unlessCorrupt(this.#shard.line.send(step)))?.count === 1
  }
}
