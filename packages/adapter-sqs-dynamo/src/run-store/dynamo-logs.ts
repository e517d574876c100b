/** The logs of a store in one table of DynamoDB, and the indexes by which their runs are found. */
import { createHash } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BatonError } from '@baton/core'
import type {
  DueFlow,
  Listed,
  ListedQuery,
  LogBackend,
  MarkedQuery,
  MarkedRuns,
  RunId,
  RunLog,
  Waiting,
  Wake,
} from '@baton/core/adapter'
import { isClient } from '../aws-client.ts'
import { Keys } from '../keys.ts'
import type { CheckedRunStoreOptions } from '../run-store-options.ts'
import { CREATED_INDEX, LETTERS_INDEX } from '../table.ts'
import { DueScan } from './due-scan.ts'
import { DynamoRunLog, type RunLogAccess } from './dynamo-run-log.ts'
import { EndedRuns } from './ended-runs.ts'
import { Polls } from './polls.ts'
import { StoreClock, watchDates } from './store-clock.ts'
import { isRefused, TableAccess } from './table-access.ts'
import { TableValues } from './values.ts'
import { WaitingLists } from './waiting-lists.ts'

/** How long `close` waits for answers to what was asked before. */
const CLOSE_WITHIN_MS = 1_000

/** Looks whether the table is there, and how the store in it was made. */
export async function openDynamoLogs(options: CheckedRunStoreOptions): Promise<LogBackend> {
  const { client: given, table: name, prefix, timeoutMs } = options
  const client = given !== undefined && isClient(given) ? given : new DynamoDBClient(given ?? {})
  const clock = new StoreClock()
  const stopWatching = watchDates(client, clock)
  const close = () => {
    stopWatching()
    if (client !== given) client.destroy()
  }
  try {
    const table = new TableAccess({ client, table: name, timeoutMs })
    const keys = new Keys(prefix, await shardsOfStore(table, prefix, options.shards))
    return new DynamoLogs({ table, keys, clock, options, close })
  } catch (error) {
    close()
    throw error
  }
}

interface Parts {
  readonly table: TableAccess
  readonly keys: Keys
  readonly clock: StoreClock
  readonly options: CheckedRunStoreOptions
  readonly close: () => void
}

class DynamoLogs implements LogBackend {
  /** What it has confirmed is in three places. */
  readonly durability = 'replicated'
  readonly clock: StoreClock
  readonly #table: TableAccess
  readonly #keys: Keys
  readonly #access: RunLogAccess
  readonly #scans: readonly DueScan[]
  readonly #waiting: WaitingLists
  readonly #polls: Polls
  readonly #close: () => void
  readonly #onWaiting = new Set<() => void>()

  constructor({ table, keys, clock, options, close }: Parts) {
    const { redispatchMs, pollMs, values = new TableValues(table, keys) } = options
    this.clock = clock
    this.#table = table
    this.#keys = keys
    this.#close = close
    this.#polls = new Polls(pollMs)
    this.#scans = keys.allShards().map((shard) => new DueScan({ table, keys, clock, shard }))
    this.#waiting = new WaitingLists({ table, keys, clock, scan: this.#scans[0] as DueScan })
    const onMarked = () => {
      for (const scan of this.#scans) scan.forget()
    }
    this.#access = { keys, table, values, clock, lookMs: redispatchMs, onMarked }
  }

  sha256(text: string): string {
    return createHash('sha256').update(text).digest('hex')
  }

  log(runId: RunId): RunLog {
    return new DynamoRunLog(runId, this.#access)
  }

  async note(runId: RunId): Promise<string | undefined> {
    return (await this.#table.get(this.#keys.head(runId)))?.note?.S
  }

  async listed({ letters, fromMs, untilMs, count }: ListedQuery): Promise<Listed> {
    const [index, hash] = letters ? [LETTERS_INDEX, 'lp'] : [CREATED_INDEX, 'cp']
    let allAfterMs = Number.NEGATIVE_INFINITY
    // Whole ones that a number of DynamoDB can be: whoever asks has a closer look at what is found.
    const from = Math.floor(Math.max(fromMs, 0))
    const until = Math.ceil(Math.min(untilMs, Number.MAX_SAFE_INTEGER))
    // DynamoDB refuses to look between bounds that leave nothing.
    if (!(from <= until)) return { notes: [], allAfterMs }
    const ofShard = async (shard: string) => {
      const { Items = [], LastEvaluatedKey } = await this.#table.query({
        IndexName: index,
        KeyConditionExpression: `${hash} = :shard AND created BETWEEN :from AND :until`,
        ExpressionAttributeValues: {
          ':shard': { S: shard },
          ':from': { N: String(from) },
          ':until': { N: String(until) },
        },
        ScanIndexForward: false,
        Limit: count,
      })
      // What this shard has beyond is not known.
      if (LastEvaluatedKey !== undefined) allAfterMs = Math.max(allAfterMs, Number(Items.at(-1)?.created?.N ?? 0))
      return Items.map(({ pk }) => this.#keys.head(this.#keys.runIdOf(pk?.S ?? '')))
    }
    const heads = (await Promise.all(this.#keys.allShards().map(ofShard))).flat()
    const items = await this.#table.getAll(heads)
    return { notes: items.flatMap(({ note, gone }) => (gone === undefined ? (note?.S ?? []) : [])), allAfterMs }
  }

  async due(query: MarkedQuery): Promise<readonly MarkedRuns[]> {
    return this.#scans.map((scan) => scan.marked(query))
  }

  ended(): readonly MarkedRuns[] {
    return this.#keys.allShards().map((shard) => new EndedRuns(this.#table, this.#keys, shard))
  }

  enlist(runId: RunId, flow: DueFlow): Promise<void> {
    return this.#waiting.add(runId, flow)
  }

  delist(runId: RunId, flow: DueFlow): Promise<void> {
    return this.#waiting.remove(runId, flow)
  }

  waiting(flows?: readonly DueFlow[]): Promise<readonly Waiting[]> {
    return this.#waiting.read(flows)
  }

  /** Others find it with their next sweep. */
  tellWaiting(): void {
    for (const wake of this.#onWaiting) wake()
  }

  watchLog(_runId: RunId, wake: Wake): () => void {
    return this.#polls.watch(wake)
  }

  watchEnd(_runId: RunId, wake: Wake): () => void {
    return this.#polls.watch(wake)
  }

  watchWaiting(_flows: readonly DueFlow[], wake: () => void): () => void {
    const own = () => wake()
    this.#onWaiting.add(own)
    return () => void this.#onWaiting.delete(own)
  }

  settled(): Promise<void> {
    return this.#table.settled()
  }

  async close(): Promise<void> {
    this.#polls.close()
    this.#onWaiting.clear()
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref())
    await Promise.race([this.settled(), late])
    this.#close()
  }
}

/** How many shards the store was made with: whoever comes first decides. */
async function shardsOfStore(table: TableAccess, prefix: string, wanted: number | undefined): Promise<number> {
  const key = Keys.store(prefix)
  const made =
    (await table.get(key)) ??
    (await table.put({
      Item: { ...key, shards: { N: String(wanted ?? 1) } },
      ConditionExpression: 'attribute_not_exists(pk)',
    }))
  const item = isRefused(made) ? made.item : made
  const shards = Number(item?.shards?.N ?? wanted ?? 1)
  if (wanted === undefined || wanted === shards) return shards
  throw new BatonError('INVALID_OPTION', {
    field: 'shards',
    message: `this store was made with ${shards}, not ${wanted}`,
    hint: 'Leave it out, or use another prefix for a new store.',
  })
}
