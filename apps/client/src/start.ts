/** Starts a run. Needs the store and the flow, no worker: the run waits until one is up. */
import { flowsFileOf, loadFlows, mistake, type Ports, type Values } from '@baton/compose'
import { BatonClient, type RunHandle, type RunnableFlow } from '@baton/core'
import type { Command } from './arguments.ts'

type Start = Extract<Command, { name: 'start' }>

/** Before the store is opened: a slip in the file's name must not leave a folder behind. */
export async function flowsFor({ flowsFile }: Start, values: Values): Promise<readonly RunnableFlow[]> {
  const flows = flowsFileOf(values, flowsFile)
  if (flows !== undefined) return loadFlows(flows)
  throw mistake('--flows', 'a run needs its flow', 'Name an ES module that exports `flows`: --flows ./flows.js.')
}

export async function start(command: Start, ports: Ports, flows: readonly RunnableFlow[]): Promise<RunHandle> {
  const { flow, input, runId, flowVersion: version } = command
  return new BatonClient({ ...ports, flows }).start(flow, input, {
    ...(runId === undefined ? {} : { runId }),
    ...(version === undefined ? {} : { version }),
  })
}
