/** Nodes that many of the flows have. */
import type { NodeArguments } from '@baton/core'
import { work } from './node-code.ts'

/** However many workers die of it: what is tested is the store, and not the patience of a node. */
export const PATIENT = { maxLostLeases: 10_000 }

/** Tells of the context too: a write that was applied twice, or not at all, shows in the run's output. */
export async function total(args: NodeArguments<unknown>, value: unknown): Promise<{ output: unknown }> {
  await work(args)
  return { output: { value, count: await args.context.get('count'), steps: (await args.context.get('steps')) ?? 0 } }
}

export const end = (args: NodeArguments<unknown>) => total(args, args.input)

export async function addOne(args: NodeArguments<number>): Promise<{ output: number }> {
  await work(args)
  return { output: args.input + 1 }
}
