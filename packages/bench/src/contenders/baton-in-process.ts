import { createFlow, type Flow, FlowRuntime } from '@baton/core'
import type { Workload } from '../workloads/workload.ts'
import { type GraphContender, sumOf } from './contender.ts'

/** Baton as a user runs it in one process, with no store: one runtime, the flow built once, `run` called again. */
export const contender: GraphContender = {
  prepare(workload) {
    const flow = build(workload)
    const runtime = new FlowRuntime({ flows: [flow] })
    const [terminal] = workload.terminals

    return async () => {
      const result = await runtime.run(flow)
      if (result.status !== 'completed') throw new Error(`the run ended ${result.status}`)
      const { output } = result
      // Where one node ends the flow, its output is the run's; else they come by node.
      return sumOf(workload, (id) =>
        workload.terminals.length === 1 && id === terminal ? output : (output as Record<string, unknown>)[id],
      )
    }
  },
}

function build({ name, nodes, edges }: Workload): Flow {
  let flow: Flow = createFlow(name)
  for (const { id, fn } of nodes) flow = flow.node(id, fn)
  for (const [source, target] of edges) flow = flow.edge(source, target)
  return flow
}
