/** What node code under attack does: it says that it runs, takes its time, and looks at the world outside. */
import { setTimeout as wait } from 'node:timers/promises'
import type { NodeArguments } from '@baton/core'
import { Outside } from '../outside.ts'
import { FENCE } from '../watched-store.ts'
import { Witness } from '../witness.ts'

let witness: Witness | undefined
let outside: Outside | undefined

interface Surroundings {
  readonly workerId: string
  readonly witness: string
  readonly outside: string
}

/** From now on this process witnesses. Without it, as in the oracle, node code says nothing, and nothing is broken. */
export function enter({ workerId, witness: path, outside: directory }: Surroundings): Witness {
  witness = new Witness(path, workerId)
  outside = new Outside(directory)
  return witness
}

/** Says that this attempt runs, counts it in the run's context, and works for up to that many milliseconds. */
export async function work(args: NodeArguments<unknown>, mostMs = 12): Promise<void> {
  await say(args)
  await args.context.increment('count', 1)
  await pause(mostMs)
}

/** The same, and says when it is through: right before its commit. */
export async function workAndLeave(args: NodeArguments<unknown>, mostMs = 12): Promise<void> {
  await work(args, mostMs)
  const { runId, instanceId } = args
  const fence = await fenceOf(args)
  if (fence !== undefined) witness?.tell({ what: 'left', runId, instanceId, fence })
}

/** Whether what this run depends on is whole. */
export function isMended(runId: string): boolean {
  return outside?.isMended(runId) ?? true
}

/** The same for a node whose number of entries, or whose place in the order, is left to chance. */
export async function workUncounted(args: NodeArguments<unknown>, mostMs = 12): Promise<void> {
  await say(args)
  await pause(mostMs)
}

/** A step that says that it runs, and is counted. The fence comes from before, lest steps change their order here. */
export function workInStep(
  args: NodeArguments<unknown>,
  fence: number | undefined,
  name: string,
  result: number,
): Promise<number> {
  const { runId, instanceId } = args
  return args.step(name, async ({ context }) => {
    if (fence !== undefined) witness?.tell({ what: 'stepped', runId, instanceId, fence, step: name })
    await context.increment('steps', 1)
    await pause(6)
    return result
  })
}

/** Undefined in the oracle, where nobody claims anything. */
export function fenceOf({ context }: NodeArguments<unknown>): Promise<number | undefined> {
  return context.get<number>(FENCE)
}

/** Says that this attempt runs, or that its function is entered again. */
export async function say(args: NodeArguments<unknown>): Promise<void> {
  const { runId, instanceId, attempt } = args
  const fence = await fenceOf(args)
  if (fence !== undefined) witness?.tell({ what: 'ran', runId, instanceId, attempt, fence })
}

function pause(mostMs: number): Promise<void> {
  return wait(Math.random() * mostMs)
}
