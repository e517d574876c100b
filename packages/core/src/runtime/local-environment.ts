/** What a process without a store gives to its runs: where a worker has ports, there is only the run itself. */
import type { Environment } from '../engine/environment.ts'
import type { Graph } from '../engine/graph.ts'
import type { MachineOptions } from '../machine/machine-options.ts'
import { defaults } from '../model/blueprint.ts'
import type { RunEvent } from '../model/event.ts'
import { NEVER } from '../model/run-state.ts'
import type { LocalLimiters } from './local-limiters.ts'

/** What all runs of the process share. */
export interface LocalSurroundings
  extends Pick<
    Environment,
    'serializer' | 'clock' | 'random' | 'newId' | 'logger' | 'deadlines' | 'middleware' | 'toStart'
  > {
  readonly limiters: LocalLimiters
}

export const WORKER_ID = 'local'

/** What the attempts of one run need, of which the run does some itself. */
export function localEnvironment(
  { serializer, clock, random, newId, logger, deadlines, middleware, toStart }: LocalSurroundings,
  { contextOf, isTaken, commit, deliver }: Pick<Environment, 'contextOf' | 'isTaken' | 'commit' | 'deliver'>,
): Environment {
  return {
    serializer,
    clock,
    random,
    newId,
    logger,
    deadlines,
    workerId: WORKER_ID,
    abandonAfterMs: defaults.abandonAfterMs,
    middleware,
    contextOf,
    toStart,
    isTaken,
    commit,
    // Nobody keeps it.
    isJournalFull: () => false,
    deliver,
  }
}

/** No sweep reminds of anything here, and no answer is lost. */
export function localMachine(graph: Graph, onEvent?: (event: RunEvent) => void): MachineOptions {
  return { redispatchMs: NEVER, onEvent, forgets: (nodeId) => graph.nodes.get(nodeId)?.meetsOnce === true }
}
