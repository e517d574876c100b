import type { RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import type { NewRun } from '../model/run.ts'
import type { Graph } from './graph.ts'

/** A new run of a graph: every node that nothing precedes starts. */
export function newRunOf(graph: Graph, runId: RunId, input: JsonValue | undefined): NewRun {
  return {
    runId,
    kind: 'workflow',
    flowId: graph.flowId,
    ...(graph.version === undefined ? {} : { version: graph.version }),
    ...(input === undefined ? {} : { input }),
    starts: graph.starts,
    failFast: graph.failFast,
    ...(graph.deadlineMs === undefined ? {} : { deadlineMs: graph.deadlineMs }),
  }
}
