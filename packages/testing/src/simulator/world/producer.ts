/** A program that knows nothing of Baton but its queue: it sends a run id, a blueprint id and the name of a node. */
import { type JobPayload, parseJob } from '@baton/core/adapter'
import { Actor } from './actor.ts'
import type { World } from './world.ts'

interface ForeignJob extends JobPayload {
  readonly delayMs: number
  maySend(): boolean
}

export class Producer {
  readonly actor: Actor
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    this.actor = new Actor(world, 'client', 'producer')
    world.actors.push(this.actor)
  }

  /** Such a job may be lost on its way, like any: nobody was told that a run has begun. */
  sends({ delayMs, maySend, ...payload }: ForeignJob): void {
    const { runId, nodeId } = payload
    const queue = this.#world.queue.portOf(this.actor)
    // As a queue would read it.
    const job = parseJob(payload)
    const run = () => {
      if (maySend()) void Promise.resolve(queue.enqueue([job])).catch(() => {})
    }
    this.#world.add({ delayMs, actor: this.actor, what: 'send a foreign job', detail: () => `${runId}/${nodeId}`, run })
  }
}
