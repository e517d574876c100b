/** What node code itself has seen: who ran what, under which claim. Doubles must have a reason. */
import { defaults, type NodeArguments, nodeOfInstance } from '@baton/core'
import type { Actor } from '../world/actor.ts'
import type { RunModel } from './run-model.ts'
import { Violation } from './violation.ts'

interface Grant {
  readonly fence: number
  /** The journal's length when the claim took effect. */
  readonly seq: number
  /** How many leases had been lost by then. */
  readonly lost: number
}

export class WitnessLog {
  /** The claims that each worker was given, by worker, run, instance and fence. */
  readonly #grants = new Map<string, Grant>()
  entries = 0

  granted(worker: string, runId: string, instanceId: string, grant: Grant): void {
    this.#grants.set(`${worker} ${runId} ${instanceId} ${grant.fence}`, grant)
  }

  /** Code of a node is entered. */
  entered(actor: Actor, args: NodeArguments, model: RunModel): void {
    this.entries += 1
    const { runId, instanceId, attempt } = args
    const grant = this.#grantOf(actor, args)
    if (grant === undefined) throw new Violation('P2', runId, `${actor.name} runs ${instanceId} without a claim`)
    const instance = model.instances.get(instanceId)
    const state = instance?.stateAtStart
    if (state !== undefined && state !== 'run') {
      throw new Violation('I2', runId, `${instanceId} runs, where its predecessors say ${state}`)
    }
    const { config = {} } = model.rules.layout.place(nodeOfInstance(instanceId)).node
    if (attempt > (config.retry?.attempts ?? defaults.attempts)) {
      throw new Violation('I16', runId, `${instanceId} runs in attempt ${attempt}`)
    }
    // Only claims count: a worker that gets its answer late may run what others have lost since.
    if (grant.lost > (config.maxLostLeases ?? defaults.maxLostLeases)) {
      throw new Violation('I16', runId, `${instanceId} runs after ${grant.lost} lost leases`)
    }
  }

  /** The code of a step runs: nobody who was granted the instance after the step was recorded may do it again. */
  sawStep(actor: Actor, args: NodeArguments, name: string, model: RunModel): void {
    const grant = this.#grantOf(actor, args)
    for (const step of model.instances.get(args.instanceId)?.steps.values() ?? []) {
      if (step.name !== name || grant === undefined || step.seq >= grant.seq) continue
      throw new Violation('P2', args.runId, `${actor.name} does ${name} of ${args.instanceId} again`)
    }
  }

  /** A worker may hold several claims of one instance, of which it has lost all but the last and does not know it. */
  #grantOf({ name }: Actor, args: NodeArguments): Grant | undefined {
    // What the engine hands to node code knows its claim. Code of users has no business with it.
    const { claim } = args as NodeArguments & { readonly claim: { readonly fence: number } }
    return this.#grants.get(`${name} ${args.runId} ${args.instanceId} ${claim.fence}`)
  }
}
