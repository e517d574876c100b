/**
 * What a node's code does: a list of operations, then a failure or a result. All of it follows from the seed, the run,
 * the instance and the attempt, so that an oracle can tell what comes of it without running anything.
 */
import { FatalError, type NodeArguments, type NodeReturn } from '@baton/core'
import { Dice, hash } from '../../dice.ts'
import type { Actor } from '../world/actor.ts'
import type { Operation } from './feature.ts'

/** Who watches the code of nodes. */
export interface Witness {
  /** @param of the flow, or the version of it, whose code it is */
  entered(args: NodeArguments, of: string): Actor
  sawStep(args: NodeArguments, name: string): void
}

export interface Failure {
  /** After this many operations. */
  readonly after: number
  readonly isFatal: boolean
}

/** How often code fails. */
const FAILS = 0.08

export function failureOf(
  seed: number,
  { runId, instanceId, attempt }: Pick<NodeArguments, 'instanceId' | 'attempt'> & { readonly runId: string },
  operations: number,
): Failure | undefined {
  const dice = new Dice(hash(`${seed} ${runId} ${instanceId} ${attempt}`))
  if (!dice.happens(FAILS)) return undefined
  return { after: dice.below(operations + 1), isFatal: dice.happens(0.2) }
}

/** What the node gives: a mark of its input, and where to go. */
export function resultOf(instanceId: string, input: unknown): { output: NodeOutput; action: string } {
  const mark = hash(JSON.stringify(input)) % 100_000
  return { output: { from: instanceId, mark }, action: hash(`${instanceId} ${mark}`) % 3 === 0 ? 'left' : 'right' }
}

export interface NodeOutput {
  readonly from: string
  readonly mark: number
}

interface Code {
  readonly seed: number
  readonly operations: readonly Operation[]
  readonly witness: Witness
  readonly of: string
}

/** The code of a node: plain where it does nothing that takes time, so that this way through the engine is used too. */
export function codeOf({ seed, operations, witness, of }: Code) {
  return (args: NodeArguments): NodeReturn<NodeOutput> | Promise<NodeReturn<NodeOutput>> => {
    const actor = witness.entered(args, of)
    const failure = failureOf(seed, args, operations.length)
    if (operations.length > 0) return play({ seed, operations, failure, witness }, args, actor)
    if (failure !== undefined) throw errorOf(failure, args)
    return resultOf(args.instanceId, args.input)
  }
}

interface Play {
  readonly seed: number
  readonly operations: readonly Operation[]
  readonly failure: Failure | undefined
  readonly witness: Witness
}

async function play(
  { seed, operations, failure, witness }: Play,
  args: NodeArguments,
  actor: Actor,
): Promise<NodeReturn<NodeOutput>> {
  const scene = { seed, actor, args, sawStep: (name: string) => witness.sawStep(args, name) }
  for (const [index, operation] of operations.entries()) {
    if (failure?.after === index) throw errorOf(failure, args)
    await operation.run(scene)
  }
  if (failure !== undefined) throw errorOf(failure, args)
  return resultOf(args.instanceId, args.input)
}

function errorOf({ isFatal }: Failure, { instanceId, attempt }: NodeArguments): Error {
  const message = `${instanceId} fails in attempt ${attempt}`
  return isFatal ? new FatalError(message) : new Error(message)
}
