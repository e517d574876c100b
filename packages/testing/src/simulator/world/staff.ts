/** The workers of a world: who works, who was lost, who comes instead. Each process that starts is an actor of its own. */
import type { RunnableFlow } from '@baton/core'
import { BaseDistributedAdapter } from '@baton/core/adapter'
import type { Dice } from '../../dice.ts'
import { Actor } from './actor.ts'
import { coordinationStoreOf, storeOf } from './ports.ts'
import type { World } from './world.ts'

class SimAdapter extends BaseDistributedAdapter {}

export interface StaffOptions {
  readonly world: World
  readonly flows: readonly RunnableFlow[]
  readonly dice: Dice
  readonly size: number
  /** Default: by chance. */
  readonly concurrency?: number
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

  #comes(delayMs: number): void {
    const { world, size } = this.#options
    world.add({
      delayMs,
      actor: undefined,
      what: 'a worker comes',
      detail: undefined,
      run: () => {
        if (this.#adapters.size >= size) return
        const actor = new Actor(world, 'worker', `w${++this.#count}`)
        world.actors.push(actor)
        const adapter = this.#makeAdapter(actor)
        this.#adapters.set(actor, adapter)
        this.#act(actor, 'start', () => adapter.start())
      },
    })
  }

  #act(actor: Actor, what: string, run: () => void): void {
    this.#options.world.add({ delayMs: 0, actor, what, detail: undefined, run })
  }

  #makeAdapter(actor: Actor): BaseDistributedAdapter {
    const { world, flows, dice, concurrency } = this.#options
    const { mutant } = world
    const store = storeOf(actor)
    const queue = world.queue.portOf(actor)
    return new SimAdapter({
      store: mutant?.store?.(store, actor) ?? store,
      queue: mutant?.queue?.(queue, actor) ?? queue,
      coordinationStore: coordinationStoreOf(actor),
      runtimeOptions: { flows },
      workerId: actor.name,
      clock: actor.clock,
      random: actor.random,
      newId: actor.newId,
      leaseMs: world.leaseMs,
      sweepMs: world.sweepMs,
      concurrency: concurrency ?? 1 + dice.below(4),
      inlineMaxNodes: dice.pick([1, 3, 100]),
      acknowledge: dice.pick(['claim', 'commit']),
      abandonAfterMs: dice.pick([0, 50, 300]),
      stopWithinMs: dice.pick([0, 400, 2_000]),
      retentionMs: Number.POSITIVE_INFINITY,
    })
  }
}
