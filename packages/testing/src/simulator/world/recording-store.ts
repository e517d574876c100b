/** The store of a simulation, and a list of all that it was asked to change: another store can be asked the same. */
import { InMemoryRunStore, type RunId } from '@baton/core'
import type {
  ClaimRequest,
  CreateResult,
  DueItem,
  EnlistRequest,
  EnlistResult,
  NewRun,
  Notice,
  PurgeOptions,
  RenewRequest,
  Transition,
} from '@baton/core/adapter'

type Changing = 'enlist' | 'create' | 'claim' | 'commit' | 'notify' | 'renew' | 'redispatch' | 'delivered' | 'purge'

/** One call, and when it was made by the store's clock. */
export type StoreCall = {
  readonly [Method in Changing]: {
    readonly method: Method
    readonly args: Parameters<InMemoryRunStore[Method]>
    readonly atMs: number
  }
}[Changing]

export interface RecordingOptions extends NonNullable<ConstructorParameters<typeof InMemoryRunStore>[0]> {
  readonly calls: StoreCall[]
  readonly nowMs: () => number
}

export class RecordingStore extends InMemoryRunStore {
  readonly #calls: StoreCall[]
  readonly #nowMs: () => number

  constructor({ calls, nowMs, ...options }: RecordingOptions) {
    super(options)
    this.#calls = calls
    this.#nowMs = nowMs
  }

  override create(run: NewRun): CreateResult {
    return this.#noted('create', [run], super.create(run))
  }

  override claim(request: ClaimRequest) {
    return this.#noted('claim', [request], super.claim(request))
  }

  override commit(transition: Transition) {
    return this.#noted('commit', [transition], super.commit(transition))
  }

  override notify(notice: Notice) {
    return this.#noted('notify', [notice], super.notify(notice))
  }

  override renew(request: RenewRequest) {
    return this.#noted('renew', [request], super.renew(request))
  }

  override enlist(request: EnlistRequest): EnlistResult {
    return this.#noted('enlist', [request], super.enlist(request))
  }

  override redispatch(items: readonly DueItem[]): void {
    this.#noted('redispatch', [items], super.redispatch(items))
  }

  override delivered(runId: RunId, keys: readonly string[]): void {
    this.#noted('delivered', [runId, keys], super.delivered(runId, keys))
  }

  override purge(options: PurgeOptions): number {
    return this.#noted('purge', [options], super.purge(options))
  }

  #noted<Answer>(method: Changing, args: readonly unknown[], answer: Answer): Answer {
    const call = structuredClone({ method, args, atMs: this.#nowMs() })
    this.#calls.push(call as StoreCall)
    return answer
  }
}
