/** Starts a run. Needs the store and the flow, no worker: the run waits until one is up. */
import { flowsFileOf, loadFlows, mistake, type Ports, type Values } from '@baton/compose'
import { BatonClient, type RunHandle, type RunnableFlow } from '@baton/core'
import { Registry } from '@baton/core/adapter'
import type { Command } from './arguments.ts'

type Start = Extract<Command, { name: 'start' }>

/** Before the store is opened: a slip in the name of the file or of the flow must not leave a folder behind. */
export async function flowsFor(
  { flowsFile, flow, flowVersion }: Start,
  values: Values,
): Promise<readonly RunnableFlow[]> {
  const source = flowsFileOf(values, flowsFile)
  if (source === undefined) {
    throw mistake('--flows', 'a run needs its flow', 'Name an ES module that exports `flows`: --flows ./flows.js.')
  }
  const flows = await loadFlows(source)
  new Registry({ flows }).toStart(flow, flowVersion)
  return flows
}

export async function start(command: Start, ports: Ports, flows: readonly RunnableFlow[]): Promise<RunHandle> {
  const { flow, input, runId, flowVersion: version } = command
  const { store, queue, journalSink } = ports
  const publishJournals = journalSink !== undefined
  return new BatonClient({ store, queue, flows, publishJournals }).start(flow, input, {
    ...(runId === undefined ? {} : { runId }),
    ...(version === undefined ? {} : { version }),
  })
}
