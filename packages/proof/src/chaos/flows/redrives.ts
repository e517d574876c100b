/** Flows that fail until something outside is mended. How they end once it is follows from their input alone. */
import { createFlow, type NodeArguments } from '@baton/core'
import type { End } from '../end.ts'
import { addOne, end, PATIENT } from './common-nodes.ts'
import { fenceOf, isMended, work, workInStep } from './node-code.ts'

const FEW = { ...PATIENT, retry: { attempts: 2, delayMs: 30 } }

/** How a run of `brittle` ends before anything is mended. */
export function brokenWith(input: number): End {
  return { status: 'failed', name: 'Error', message: messageFor(input + 1) }
}

const messageFor = (input: number) => `broken with ${input}`

/** Its step is recorded before it fails, and is not done again by whoever does it over. */
async function breakUnlessMended(args: NodeArguments<number>): Promise<{ output: number }> {
  const fence = await fenceOf(args)
  const before = await workInStep(args, fence, 'before', args.input * 3)
  await work(args)
  if (!isMended(args.runId)) throw new Error(messageFor(args.input))
  return { output: before }
}

/** Fails with its node: a new run takes it up. */
export const brittle = createFlow<number>('brittle')
  .node('a', addOne, PATIENT)
  .node('break', breakUnlessMended, FEW)
  .node('end', end, PATIENT)
  .edge('a', 'break')
  .edge('break', 'end')

/** Goes on with its other branch, so that its node can be opened again while it lives. */
export const brittleBranch = createFlow<number>('brittle-branch', { failFast: false })
  .node('a', addOne, PATIENT)
  .node('break', breakUnlessMended, FEW)
  .node('behind', addOne, PATIENT)
  .sleep('rest', 600)
  .node('end', end, PATIENT)
  .edge('a', 'break')
  .edge('break', 'behind')
  .edge('a', 'rest')
  .edge('behind', 'end')
  .edge('rest', 'end')
