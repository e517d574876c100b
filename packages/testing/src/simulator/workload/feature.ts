/**
 * A feature of the random workload: one thing that flows can do, thrown in by chance. Each says what it adds to a node's
 * code, to a node's configuration or to an edge, and where it leaves the result to chance and time. The engine gets
 * another feature, and this list another file.
 */
import type { EdgeOptions, NodeArguments, NodeConfig } from '@baton/core'
import type { Dice } from '../../dice.ts'
import type { Actor } from '../world/actor.ts'
import type { SimFlow } from './random-flow.ts'

/** What node code of the simulation has beside its arguments. */
export interface NodeScene {
  readonly seed: number
  /** The worker that runs it. */
  readonly actor: Actor
  readonly args: NodeArguments
  /** Says that a step's code runs, for the witness. */
  sawStep(name: string): void
}

/** One thing that a node's code does. What it does must follow from the seed and the instance alone. */
export interface Operation {
  readonly name: string
  run(scene: NodeScene): Promise<void>
  /** What it adds to the counter of the run when the node has succeeded. */
  readonly adds?: number
  /** What it adds once it was done, whatever becomes of the attempt. */
  readonly addsForGood?: number
  /** Whether it throws for good, in this run: so that the oracle knows too. */
  fails?(seed: number, runId: string, instanceId: string): boolean
  /** The run that it starts and fails with. */
  awaits?(runId: string, instanceId: string): ChildToBe
}

/** A run as an oracle needs to know it. */
export interface ChildToBe {
  readonly runId: string
  readonly flow: SimFlow
  readonly input: unknown
}

/** What an operation knows of the flow that it is for. */
export type OwnFlow = Pick<SimFlow, 'isKeyed'>

export interface Feature {
  readonly name: string
  /** With it the result depends on what happens first. Flows with an oracle go without. */
  readonly isRacy?: boolean
  /** How likely a seed has it. Default 0.6. */
  readonly chance?: number
  /**
   * @param index of the operation in its node, for names
   * @param flows that it may start runs of
   * @param own the flow that the operation is for
   * @returns undefined where it has no use for the flow that is being made
   */
  operation?(dice: Dice, index: number, flows: readonly SimFlow[], own: OwnFlow): Operation | undefined
  config?(dice: Dice): NodeConfig
  edge?(dice: Dice): EdgeOptions
}
