import type { TrackedContextOptions } from '../context/tracked-context.ts'
import type { ContextEntry } from '../model/delta.ts'
import type { ContextSource } from '../ports/async-context.ts'
import type { Claim } from '../ports/claim.ts'
import type { ISerializer } from '../ports/serializer.ts'
import type { Environment } from './environment.ts'
import type { GraphNode } from './graph.ts'
import type { DurableHooks } from './positions.ts'

/**
 * Where the context of an attempt comes from: what its claim brought along, and the store for the rest. Nothing is made
 * before it is asked for, because many nodes take their context off the arguments and never touch it.
 */
export class ContextOrigin implements TrackedContextOptions {
  readonly #claim: Claim
  readonly #node: GraphNode
  readonly #env: Environment
  readonly #hooks: Pick<DurableHooks, 'orGiveBack'>

  constructor(claim: Claim, node: GraphNode, env: Environment, hooks: Pick<DurableHooks, 'orGiveBack'>) {
    this.#claim = claim
    this.#node = node
    this.#env = env
    this.#hooks = hooks
  }

  get serializer(): ISerializer {
    return this.#env.serializer
  }

  get preloaded(): ReadonlyMap<string, ContextEntry> {
    return new Map(Object.entries(this.#claim.context))
  }

  get declared(): readonly string[] {
    return this.#node.needs.reads ?? []
  }

  get source(): ContextSource {
    const stored = this.#env.contextOf(this.#claim.head.runId)
    const hooks = this.#hooks
    return {
      read: (keys) => hooks.orGiveBack(() => stored.read(keys)),
      readAll: () => hooks.orGiveBack(() => stored.readAll()),
    }
  }
}
