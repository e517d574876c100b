/**
 * The waiting lists: runs that wait for a worker with their version. Workers look at them with every sweep, and mostly there are
 * none. So one item says in the index of due runs that there are any: who has looked there knows.
 *
 * That item counts what was put on lists, in the same transaction. Whoever finds all lists empty takes it from the index, if
 * nothing was counted since it began to look.
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
/** Who puts a run there writes so into its log next: until then it must not be taken for one that has left. */
const WRITTEN_WITHIN_MS = 60_000

export class WaitingLists {
  readonly #options: WaitingListsOptions
  /** When what was read last was put there, by its key. */
  readonly #added = new Map<string, string>()

  constructor(options: WaitingListsOptions) {
    this.#options = options
  }

  async add(runId: RunId, flow: DueFlow): Promise<void> {
    const { table, scan, clock } = this.#options
    const name = flowName(flow)
    const added = { N: String(clock.now()) }
    await table.transact([
      { Put: { Item: { ...this.#place(name, runId), flow: { S: name }, run: { S: runId }, added } } },
      {
        Update: {
          Key: this.#count(),
          UpdateExpression: 'SET dp = :dp, mark = :mark ADD enlisted :one',
          ExpressionAttributeValues: { ':dp': { S: scan.shard }, ':mark': { N: '0' }, ':one': { N: '1' } },
        },
      },
    ])
    scan.forget()
  }

  /** Takes away what was read and has left since, unless it was put there again. */
  async remove(runId: RunId, flow: DueFlow): Promise<void> {
    const { table, clock } = this.#options
    const place = this.#place(flowName(flow), runId)
    const added = this.#added.get(place.sk.S ?? '')
    if (added === undefined || Number(added) > clock.now() - WRITTEN_WITHIN_MS) return
    const Delete = {
      Key: { ...place },
      ConditionExpression: 'added = :added',
      ExpressionAttributeValues: { ':added': { N: added } },
    }
    await table.transact([{ Delete }])
  }

  async read(flows?: readonly DueFlow[]): Promise<readonly Waiting[]> {
    const { scan } = this.#options
    const { Items = [] } = await scan.first()
    const isMarked = Items.some(({ sk, pk }) => sk?.S === COUNT && pk?.S === this.#options.keys.waiting())
    if (!isMarked) return []
    if (flows === undefined) {
      const all = await this.#list('')
      if (all.length === 0) await this.#unmarkIfEmpty()
      return inLists(all)
    }
    const each = await Promise.all(namesFor(flows).map((name) => this.#list(`${name}#`)))
    const found = each.flat()
    if (found.length === 0) await this.#unmarkIfEmpty()
    return inLists(found)
  }

  /** @param beginning of their keys; '' for all */
  async #list(beginning: string): Promise<readonly Item[]> {
    const items = await this.#options.table.queryAll(this.#query(beginning))
    // A flow may be called like another one and more.
    const found = beginning === '' ? items : items.filter(({ flow }) => `${flow?.S}#` === beginning)
    for (const { sk, added } of found) this.#added.set(sk?.S ?? '', added?.N ?? '')
    return found
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

  async #unmarkIfEmpty(): Promise<void> {
    const { table, scan } = this.#options
    // In this order: what is put there after it was counted makes the condition fail.
    const counted = await table.get(this.#count())
    const { Items = [] } = await table.query({ ...this.#query(''), Limit: 1 })
    if (counted?.enlisted === undefined || Items.length > 0) return
    this.#added.clear()
    const answer = await table.update({
      Key: this.#count(),
      UpdateExpression: 'REMOVE dp, mark',
      ConditionExpression: 'enlisted = :counted',
      ExpressionAttributeValues: { ':counted': counted.enlisted },
    })
    if (!isRefused(answer)) scan.forget()
  }

  #count(): ItemKey {
    return { pk: { S: this.#options.keys.waiting() }, sk: { S: COUNT } }
  }

  #place(name: string, runId: RunId): ItemKey {
    return { pk: { S: this.#options.keys.waiting() }, sk: { S: `${name}#${runId}` } }
  }
}

function inLists(items: readonly Item[]): readonly Waiting[] {
  const lists = new Map<string, RunId[]>()
  for (const { flow, run } of items) {
    const name = flow?.S ?? ''
    lists.set(name, [...(lists.get(name) ?? []), run?.S as RunId])
  }
  return [...lists].map(([name, runIds]) => ({ list: flowOfName(name), runIds }))
}
