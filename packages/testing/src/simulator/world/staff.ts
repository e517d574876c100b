/** The workers of a world: who works, who was lost, who comes instead. Each process that starts is an actor of its own. */
import type { IJournalSink, RunnableFlow } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import type { Dice } from '../../dice.ts'
import { Actor } from './actor.ts'
import { coordinationStoreOf, storeOf } from './ports.ts'
import type { World } from './world.ts'

class SimAdapter extends BaseDistributedAdapter {}

interface DeployedFlow {
  readonly flow: RunnableFlow
  readonly version: string | undefined
}

export interface StaffOptions {
  readonly world: World
  readonly flows: readonly DeployedFlow[]
  readonly dice: Dice
  readonly size: number
  /** Default: for ever. */
  readonly retentionMs?: number
  /** Default: by chance. */
  readonly concurrency?: number
  /** A worker's journal sink, where it has one. Default: none has. @param hasAll the worker lacks nothing that any of them has */
  readonly sinkOf?: (actor: Actor, hasAll: boolean) => IJournalSink | undefined
}

export class Staff {
  readonly #options: StaffOptions
  readonly #adapters = new Map<Actor, BaseDistributedAdapter>()
  #count = 0

  constructor(options: StaffOptions) {
    this.#options = options
  }

  /** Those that work, the frozen ones too. */
  get alive(): readonly Actor[] {
    return [...this.#adapters.keys()]
  }

  /** Sees to it that there are as many as there should be. */
  fill(): void {
    for (let missing = this.#options.size - this.#adapters.size; missing > 0; missing--) this.#comes(0)
  }

  /** From now on every version has a worker that can do it, and there is one with a sink. */
  heal(): void {
    this.fill()
    const { flows, sinkOf } = this.#options
    if (flows.some(({ version }) => version !== undefined) || sinkOf !== undefined) this.#comes(0, true)
  }

  /** Its memory is lost, and after a while there is another one. */
  kill(actor: Actor, absentMs: number): void {
    actor.kill()
    this.#adapters.delete(actor)
    this.#comes(absentMs)
  }

  freeze(actor: Actor, ms: number): void {
    const { world } = this.#options
    actor.isFrozen = true
    world.add({ delayMs: ms, actor: undefined, what: 'thaw', detail: () => actor.name, run: () => actor.thaw() })
  }

  /** It is asked to leave, and hands back what it cannot end in time. Meanwhile another one works already. */
  replace(actor: Actor): void {
    const adapter = this.#adapters.get(actor)
    this.#adapters.delete(actor)
    this.#act(actor, 'stop', () => void adapter?.stop())
    this.#comes(0)
  }

  /** An operator asks one of the workers to look after a run. */
  reconciles(runId: string, delayMs: number): void {
    const { world, dice } = this.#options
    const run = () => {
      const able = [...this.#adapters].filter(([actor]) => !actor.isFrozen)
      if (able.length === 0) return
      const [actor, adapter] = dice.pick(able)
      // A run that is not there, or a store that is not, is a matter for who asks.
      this.#act(actor, 'reconcile', () => void adapter.reconcile(runId).catch(() => {}))
    }
    world.add({ delayMs, actor: undefined, what: 'ask for a look', detail: () => runId, run })
  }

  /** @returns a promise that is settled once all of them have left */
  async stop(): Promise<void> {
    const leaving = [...this.#adapters]
    this.#adapters.clear()
    await Promise.all(
      leaving.map(
        ([actor, adapter]) =>
          new Promise<void>((resolve) => this.#act(actor, 'stop', () => void adapter.stop().then(resolve))),
      ),
    )
  }

  #comes(delayMs: number, knowsAll = false): void {
    const { world, size } = this.#options
    world.add({
      delayMs,
      actor: undefined,
      what: 'a worker comes',
      detail: undefined,
      run: () => {
        if (this.#adapters.size >= size && !knowsAll) return
        const actor = new Actor(world, 'worker', `w${++this.#count}`)
        world.actors.push(actor)
        const adapter = this.#makeAdapter(actor, knowsAll)
        this.#adapters.set(actor, adapter)
        this.#act(actor, 'start', () => adapter.start())
      },
    })
  }

  #act(actor: Actor, what: string, run: () => void): void {
    this.#options.world.add({ delayMs: 0, actor, what, detail: undefined, run })
  }

  /** A deploy goes on all the time: each process that starts has one version, or the other, or both. */
  #deployed(knowsAll: boolean): readonly RunnableFlow[] {
    const { flows, dice } = this.#options
    const versions = [...new Set(flows.flatMap(({ version }) => (version === undefined ? [] : [version])))]
    const only = knowsAll || versions.length === 0 || dice.happens(0.4) ? undefined : dice.pick(versions)
    return flows.flatMap(({ flow, version }) => {
      return only === undefined || version === undefined || version === only ? [flow] : []
    })
  }

  #makeAdapter(actor: Actor, knowsAll: boolean): BaseDistributedAdapter {
    const { world, dice, concurrency, retentionMs = Number.POSITIVE_INFINITY } = this.#options
    const { mutant } = world
    const journalSink = this.#options.sinkOf?.(actor, knowsAll)
    const store = storeOf(actor)
    const queue = world.queue.portOf(actor)
    return new SimAdapter({
      store: mutant?.store?.(store, actor) ?? store,
      queue: mutant?.queue?.(queue, actor) ?? queue,
      coordinationStore: coordinationStoreOf(actor),
      runtimeOptions: { flows: this.#deployed(knowsAll) },
      workerId: actor.name,
      clock: actor.clock,
      random: actor.random,
      newId: actor.newId,
      leaseMs: world.leaseMs,
      sweepMs: world.sweepMs,
      concurrency: concurrency ?? 1 + dice.below(4),
      inlineMaxNodes: dice.pick([1, 3, 100]),
      fanOut: this.#count % 2 === 0 ? 'own-places' : 'queue',
      acknowledge: dice.pick(['claim', 'commit']),
      abandonAfterMs: dice.pick([0, 50, 300]),
      stopWithinMs: dice.pick([0, 400, 2_000]),
      retentionMs,
      ...(journalSink === undefined ? {} : { journalSink }),
    })
  }
}
