/** Starts a run. Needs the store and the flow, no worker: the run waits until one is up. */
import { BatonClient, type RunHandle, type RunnableFlow } from '@baton/core'
import type { Command } from './arguments.ts'
import type { Ports } from './compose.ts'
import { mistake, type Values } from './environment.ts'
import { loadFlows } from './flows.ts'

type Start = Extract<Command, { name: 'start' }>

/** Before the store is opened: a slip in the file's name must not leave a folder behind. */
export async function flowsFor({ flowsFile }: Start, { BATON_FLOWS }: Values): Promise<readonly RunnableFlow[]> {
  if (flowsFile !== undefined) return loadFlows(flowsFile, '--flows')
  if (BATON_FLOWS !== undefined) return loadFlows(BATON_FLOWS, 'BATON_FLOWS')
  throw mistake('--flows', 'a run needs its flow', 'Name an ES module that exports `flows`: --flows ./flows.js.')
}

export async function start(command: Start, ports: Ports, flows: readonly RunnableFlow[]): Promise<RunHandle> {
  const { flow, input, runId, flowVersion: version } = command
  return new BatonClient({ ...ports, flows }).start(flow, input, {
    ...(runId === undefined ? {} : { runId }),
    ...(version === undefined ? {} : { version }),
  })
}
