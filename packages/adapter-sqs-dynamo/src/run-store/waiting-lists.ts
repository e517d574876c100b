/**
 * The waiting lists: runs that wait for a worker with their version. Workers look at them with every sweep, and mostly there are
 * none, or none that they can take. So one item in the index of due runs names the lists that have something on them: who has
 * looked there knows, and asks for no other.
 *
 * Who puts a run on a list writes its place first and names the list after that, each in a write of its own: a transaction would
 * have all of them in each other's way at that item. It counts what is written to it. Who finds a list empty reads the item, then
 * looks at the list again, and takes the name away if nothing was counted meanwhile. A place that the second look has missed is
 * named after that look, so that either the count has changed or the name comes back.
 *
 * Who dies between the two writes leaves a place that is not named. The work is found by its reminders, as long as its log does not
 * say that it is on a list; and who begins, and then whoever has not done so for ten minutes, looks at the lists themselves.
 */
import { type DueFlow, flowName, flowOfName, namesFor, type RunId, type Waiting } from '@baton/core/adapter'
import type { Item, ItemKey, Keys } from '../keys.ts'
import type { DueScan } from './due-scan.ts'
import { isRefused, type TableAccess } from './table-access.ts'

export interface WaitingListsOptions {
  readonly table: TableAccess
  readonly keys: Keys
  readonly clock: { now(): number }
  /** Of the shard that has the item. */
  readonly scan: DueScan
}

const COUNT = '!'
/** Among the names, or in their place: ask for every list. No list is called like that, since no flow is called ''. */
const ANY = '/'
/** Each of them makes every write to the item dearer. */
const MOST_NAMES = 100
/** Who puts a run there writes so into its log next: until then it must not be taken for one that has left. */
const WRITTEN_WITHIN_MS = 60_000
/** How often to look for places that are not named. */
const LOOK_MS = 600_000
/** Whoever looks at all lists for that sees them with one request, unless there is more. */
const LOOK_PAGE = 100

export class WaitingLists {
  readonly #options: WaitingListsOptions
  /** When what was read last was put there, by list and run. */
  readonly #added = new Map<string, ReadonlyMap<string, string>>()
  /** When all lists were looked at last, named or not. */
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: WaitingListsOptions) {
    this.#options = options
  }

  async add(runId: RunId, flow: DueFlow): Promise<void> {
    const { table, clock } = this.#options
    const name = flowName(flow)
    const added = { N: String(clock.now()) }
    // In this order: who sees that nothing is on the list must not have counted what is about to be.
    await table.put({ Item: { ...this.#place(name, runId), flow: { S: name }, run: { S: runId }, added } })
    await this.#tell(name)
  }

  /** Takes away what was read and has left since, unless it was put there again. */
  async remove(runId: RunId, flow: DueFlow): Promise<void> {
    const { table, clock } = this.#options
    const name = flowName(flow)
    const added = this.#added.get(name)?.get(runId)
    if (added === undefined || Number(added) > clock.now() - WRITTEN_WITHIN_MS) return
    const Delete = {
      Key: { ...this.#place(name, runId) },
      ConditionExpression: 'added = :added',
      ExpressionAttributeValues: { ':added': { N: added } },
    }
    await table.transact([{ Delete }])
  }

  async read(flows?: readonly DueFlow[]): Promise<readonly Waiting[]> {
    if (flows === undefined) return inLists(await this.#readAll())
    const names = namesFor(flows)
    const told = await this.#told()
    if (this.#lookedAtMs <= this.#options.clock.now() - LOOK_MS) return inLists(await this.#lookAround(names, told))
    const asked = told.has(ANY) ? names : names.filter((name) => told.has(name))
    const lists = await Promise.all(asked.map((name) => this.#list(name)))
    const empty = asked.filter((_, index) => lists[index]?.length === 0)
    if (!told.has(ANY)) await this.#strike(empty)
    else if (empty.length === asked.length) await this.#unmarkIfEmpty()
    return inLists(lists.flat())
  }

  /** For operators. Whatever the item says: it is put right. */
  async #readAll(): Promise<readonly Item[]> {
    const { table, clock } = this.#options
    // In this order: see above.
    const counted = await table.get(this.#count())
    const items = await table.queryAll(this.#query(''))
    this.#added.clear()
    this.#learn(items)
    await this.#correct(counted, new Set(namesIn(items)))
    this.#lookedAtMs = clock.now()
    return items
  }

  /** What is on these lists, named or not; names what was not. */
  async #lookAround(names: readonly string[], told: ReadonlySet<string>): Promise<readonly Item[]> {
    const { table, clock } = this.#options
    const { Items = [], LastEvaluatedKey } = await table.query({ ...this.#query(''), Limit: LOOK_PAGE })
    const isAll = LastEvaluatedKey === undefined
    const items = isAll ? Items : (await Promise.all(names.map((name) => this.#list(name)))).flat()
    this.#learn(items)
    const unnamed = told.has(ANY) ? [] : namesIn(items).filter((name) => !told.has(name))
    for (const name of unnamed) await this.#tell(name)
    this.#lookedAtMs = clock.now()
    return items.filter(({ flow }) => names.includes(flow?.S ?? ''))
  }

  async #list(name: string): Promise<readonly Item[]> {
    const items = await this.#options.table.queryAll(this.#query(`${name}#`))
    this.#added.delete(name)
    this.#learn(items)
    return items
  }

  #learn(items: readonly Item[]): void {
    const lists = new Map<string, Map<string, string>>()
    for (const { flow, run, added } of items) {
      const list = lists.get(flow?.S ?? '') ?? new Map<string, string>()
      lists.set(flow?.S ?? '', list.set(run?.S ?? '', added?.N ?? ''))
    }
    for (const [name, list] of lists) this.#added.set(name, list)
  }

  /** The lists that have something on them, as the index knows it. */
  async #told(): Promise<ReadonlySet<string>> {
    const { scan, keys } = this.#options
    const { Items = [] } = await scan.first()
    return listsOf(Items.find(({ sk, pk }) => sk?.S === COUNT && pk?.S === keys.waiting()))
  }

  /** Says that there is something on a list. */
  async #tell(name: string): Promise<void> {
    const { table, scan } = this.#options
    const values = { ':dp': { S: scan.shard }, ':mark': { N: '0' }, ':one': { N: '1' } }
    const told = {
      Key: this.#count(),
      UpdateExpression: 'SET dp = :dp, mark = :mark ADD enlisted :one, flow :names',
      ExpressionAttributeValues: { ...values, ':names': { SS: [ANY] } },
    }
    const answer = await table.update({
      ...told,
      ConditionExpression: 'attribute_not_exists(mark) OR contains(flow, :name) OR size(flow) < :most',
      ExpressionAttributeValues: {
        ...values,
        ':names': { SS: [name] },
        ':name': { S: name },
        ':most': { N: String(MOST_NAMES) },
      },
    })
    if (isRefused(answer)) await table.update(told)
    scan.forget()
  }

  /** Takes the names of lists away that are still empty. */
  async #strike(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const counted = await this.#options.table.get(this.#count())
    const left = new Set(listsOf(counted))
    const struck = names.filter((name) => left.has(name))
    const lists = await Promise.all(struck.map((name) => this.#list(name)))
    for (const [index, name] of struck.entries()) if (lists[index]?.length === 0) left.delete(name)
    await this.#correct(counted, left)
  }

  /** For an item that does not say which lists they are. */
  async #unmarkIfEmpty(): Promise<void> {
    const { table } = this.#options
    const counted = await table.get(this.#count())
    const { Items = [] } = await table.query({ ...this.#query(''), Limit: 1 })
    if (Items.length === 0) await this.#correct(counted, new Set())
  }

  /** Has the item name these lists and no others, if nothing was written to it since it was read. */
  async #correct(counted: Item | undefined, names: ReadonlySet<string>): Promise<void> {
    const { table, scan } = this.#options
    const listed = names.size > MOST_NAMES ? new Set([ANY]) : names
    const before = listsOf(counted)
    if (listed.size === before.size && [...listed].every((name) => before.has(name))) return
    const marked = { ':dp': { S: scan.shard }, ':mark': { N: '0' }, ':names': { SS: [...listed] } }
    const was: Item = counted?.enlisted === undefined ? {} : { ':counted': counted.enlisted }
    const answer = await table.update({
      Key: this.#count(),
      UpdateExpression:
        listed.size === 0
          ? 'REMOVE dp, mark, flow ADD enlisted :one'
          : 'SET dp = :dp, mark = :mark, flow = :names ADD enlisted :one',
      ConditionExpression: counted?.enlisted === undefined ? 'attribute_not_exists(enlisted)' : 'enlisted = :counted',
      ExpressionAttributeValues: { ':one': { N: '1' }, ...was, ...(listed.size === 0 ? {} : marked) },
    })
    if (!isRefused(answer)) scan.forget()
  }

  #query(beginning: string) {
    const condition = beginning === '' ? 'sk > :beginning' : 'begins_with(sk, :beginning)'
    return {
      KeyConditionExpression: `pk = :pk AND ${condition}`,
      ExpressionAttributeValues: {
        ':pk': { S: this.#options.keys.waiting() },
        ':beginning': { S: beginning === '' ? COUNT : beginning },
      },
      ConsistentRead: true,
    }
  }

  #count(): ItemKey {
    return { pk: { S: this.#options.keys.waiting() }, sk: { S: COUNT } }
  }

  #place(name: string, runId: RunId): ItemKey {
    return { pk: { S: this.#options.keys.waiting() }, sk: { S: `${name}#${runId}` } }
  }
}

/** The lists that the item names: all, if it is marked and names none. */
function listsOf(item: Item | undefined): ReadonlySet<string> {
  if (item?.mark === undefined) return new Set()
  return new Set(item.flow?.SS ?? [ANY])
}

function namesIn(items: readonly Item[]): readonly string[] {
  return [...new Set(items.map(({ flow }) => flow?.S ?? ''))]
}

function inLists(items: readonly Item[]): readonly Waiting[] {
  const lists = new Map<string, RunId[]>()
  for (const { flow, run } of items) {
    const name = flow?.S ?? ''
    lists.set(name, [...(lists.get(name) ?? []), run?.S as RunId])
  }
  return [...lists].map(([name, runIds]) => ({ list: flowOfName(name), runIds }))
}
