import { createFlow, FlowRuntime } from 'flowcraft'
import { type GraphContender, sumOf } from './contender.ts'

/**
 * flowcraft in one process. Left alone it runs at most min(cores, 10) nodes at a time, in batches that wait for their
 * slowest; it is given the graph's width instead, which makes it faster on every shape here.
 */
export const contender: GraphContender = {
  prepare(workload) {
    const flow = createFlow(workload.name)
    for (const { id, fn } of workload.nodes) flow.node(id, fn)
    for (const [source, target] of workload.edges) flow.edge(source, target)
    const blueprint = flow.toBlueprint()
    const functionRegistry = flow.getFunctionRegistry()
    const runtime = new FlowRuntime({})

    return async () => {
      const result = await runtime.run(blueprint, {}, { functionRegistry, concurrency: workload.width })
      if (result.status !== 'completed') throw new Error(`the run ended ${result.status}`)
      const context = result.context as Record<string, unknown>
      return sumOf(workload, (id) => context[`_outputs.${id}`])
    }
  },
}
