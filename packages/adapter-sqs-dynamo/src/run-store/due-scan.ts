/**
 * Looks through the marks of a shard that have passed. A worker asks several things at once with every sweep: what it may claim, and
 * whether anything waits for it. They share the first page, which is mostly empty; who has to turn it asks for what it wants alone.
 */
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb'
import { type MarkedPage, type MarkedQuery, type MarkedRuns, namesFor, type RunId } from '@baton/core/adapter'
import type { Item, Keys } from '../keys.ts'
import { DUE_INDEX } from '../table.ts'
import type { TableAccess } from './table-access.ts'

export interface DueScanOptions {
  readonly table: TableAccess
  readonly keys: Keys
  readonly clock: { now(): number }
  /** The key of the shard in the index. */
  readonly shard: string
}

/**
 * Mostly one page is all. Who has to turn it looks for something behind others, and gets ten times as many with each page, until that
 * is about as much as DynamoDB gives at once.
 */
const FIRST_PAGE = 100
const LARGEST_PAGE = 10_000

export class DueScan {
  readonly #options: DueScanOptions
  /** Under way. */
  #first: Promise<QueryCommandOutput> | undefined

  constructor(options: DueScanOptions) {
    this.#options = options
  }

  get shard(): string {
    return this.#options.shard
  }

  marked(query: MarkedQuery): MarkedRuns {
    return new DueRuns(this, this.#options, query)
  }

  /** Marks were moved: what is on its way may not know of it. */
  forget(): void {
    this.#first = undefined
  }

  /** The first page: whoever asks while it is on its way gets the same. */
  first(): Promise<QueryCommandOutput> {
    if (this.#first !== undefined) return this.#first
    const first = this.page(this.#options.clock.now()).finally(() => {
      if (this.#first === first) this.#first = undefined
    })
    this.#first = first
    return first
  }

  page(untilMs: number, more?: More): Promise<QueryCommandOutput> {
    const { table, shard } = this.#options
    return table.query({
      IndexName: DUE_INDEX,
      KeyConditionExpression: 'dp = :dp AND mark <= :until',
      ExpressionAttributeValues: { ':dp': { S: shard }, ':until': { N: String(untilMs) }, ...more?.filter.values },
      Limit: more?.limit ?? FIRST_PAGE,
      ...(more && { ExclusiveStartKey: more.from, FilterExpression: more.filter.expression }),
    })
  }
}

/** A page that is not the first. */
interface More {
  readonly from: QueryCommandOutput['LastEvaluatedKey']
  /** How many are looked through, wanted or not. */
  readonly limit: number
  readonly filter: Filter
}

interface Filter {
  readonly expression: string
  readonly values: Item
}

class DueRuns implements MarkedRuns {
  readonly #scan: DueScan
  readonly #keys: Keys
  readonly #unsentOnly: boolean
  readonly #names: readonly string[] | undefined
  /** Where to go on: undefined before the first page, and behind the last. */
  #last: QueryCommandOutput['LastEvaluatedKey']
  #limit = FIRST_PAGE
  #isRead = false
  /** What a page had more than was asked for. */
  #over: readonly RunId[] = []

  constructor(scan: DueScan, { keys }: DueScanOptions, { unsentOnly, flows }: MarkedQuery) {
    this.#scan = scan
    this.#keys = keys
    this.#unsentOnly = unsentOnly
    this.#names = flows && namesFor(flows)
  }

  async next(untilMs: number, _stayed: number, most: number): Promise<MarkedPage> {
    if (this.#over.length === 0 && !this.#isRead) await this.#turn(untilMs)
    const runIds = this.#over.slice(0, most)
    this.#over = this.#over.slice(most)
    return { runIds, isLast: this.#isRead && this.#over.length === 0 }
  }

  /** It is only the index that is late: there is no mark without a run. */
  async strike(_runId: RunId): Promise<boolean> {
    return true
  }

  async #turn(untilMs: number): Promise<void> {
    const page = await (this.#last === undefined ? this.#scan.first() : this.#later(this.#last, untilMs))
    this.#last = page.LastEvaluatedKey
    this.#isRead = this.#last === undefined
    const wanted = (page.Items ?? []).filter((item) => this.#isWanted(item, untilMs))
    this.#over = wanted.map((item) => this.#keys.runIdOf(item.pk?.S ?? ''))
  }

  #later(from: More['from'], untilMs: number): Promise<QueryCommandOutput> {
    this.#limit = Math.min(LARGEST_PAGE, this.#limit * 10)
    return this.#scan.page(untilMs, { from, limit: this.#limit, filter: this.#filter(untilMs) })
  }

  #isWanted({ flow, due, remind }: Item, untilMs: number): boolean {
    if (flow === undefined) return false
    if (this.#unsentOnly) return Number(remind?.N) <= untilMs
    return Number(due?.N) <= untilMs && (this.#names === undefined || this.#names.includes(flow.S ?? ''))
  }

  #filter(untilMs: number): Filter {
    const values: Item = { ':now': { N: String(untilMs) } }
    if (this.#unsentOnly) return { expression: 'remind <= :now', values }
    // A list in an expression has up to 100 members; what comes too much is left out here.
    const names = this.#names?.length !== undefined && this.#names.length <= 100 ? this.#names : []
    for (const [index, name] of names.entries()) values[`:flow${index}`] = { S: name }
    const ofFlows = names.length === 0 ? '' : ` AND flow IN (${names.map((_, index) => `:flow${index}`).join(', ')})`
    return { expression: `due <= :now${ofFlows}`, values }
  }
}
