import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import type { JsonValue } from '../model/json.ts'
import { LIMITER_PREFIX } from '../model/limiter.ts'
import type { NewRun } from '../model/run.ts'
import type { ICoordinationStore } from '../ports/coordination-store.ts'
import type { Delivery, Job } from '../ports/job-queue.ts'
import type { IRunStore } from '../ports/run-store.ts'
import type { ISerializer } from '../ports/serializer.ts'
import { checkRunInput } from './check-value.ts'
import type { Environment } from './environment.ts'
import { firstWords, firstWork } from './first-words.ts'
import { withGates } from './gates.ts'
import type { Graph } from './graph.ts'
import { jobFor } from './jobs.ts'
import type { Registry } from './registry.ts'
import { newRunOf } from './start-run.ts'

interface Ports {
  readonly store: IRunStore
  readonly registry: Registry
  readonly coordinationStore: ICoordinationStore | undefined
  readonly serializer: ISerializer
  /** Brings what the new run has to say to others. */
  readonly deliver?: Environment['deliver']
  /** Has jobs worked on, here or by others. Never throws: what is not sent is the sweep's to find. */
  readonly send?: (jobs: readonly Job[]) => Promise<void>
  /** Whether the journal of the new run is to be published. */
  readonly publishJournals?: boolean
}

const DAY_MS = 24 * 3_600_000

/**
 * A job that a plain producer sent, with a run id, a blueprint id and a node: if the run is not there yet and the node
 * is one that starts, the run is created, once, with all its start nodes. Anything else goes to the dead letters.
 *
 * @returns the graph to work with, or undefined where this process lacks it
 */
export async function adoptForeignJob(delivery: Delivery, ports: Ports): Promise<Graph | undefined | 'dead-lettered'> {
  const { store, registry, coordinationStore, serializer } = ports
  const { job } = delivery
  if (job.runId.startsWith(LIMITER_PREFIX)) {
    // It would stand where a limiter is to be, and let nobody in.
    await delivery.deadLetter(`INVALID_ID: ${job.runId} is the id of a limiter, not one for a run`)
    return 'dead-lettered'
  }
  const run = await store.summary(job.runId)
  if (run !== undefined) return registry.find(run.flowId, run.version)
  const graph = registry.latest(job.blueprintId)
  if (graph === undefined) return undefined
  if (!graph.starts.includes(job.instanceId)) {
    await delivery.deadLetter(`UNKNOWN_RUN: no run ${job.runId}, and ${job.nodeId} is no start node`)
    return 'dead-lettered'
  }
  const input = await inputOfNone(graph, serializer)
  if (input instanceof BatonError) {
    await delivery.deadLetter(`${input.code}: a job brings no input, and ${graph.flowId} needs one: ${input.message}`)
    return 'dead-lettered'
  }
  // A second place that knows the blueprint, so that `reconcile` can create the run if we die before we do.
  await coordinationStore?.setIfNotExist(blueprintKey(job.runId), job.blueprintId, { ttlMs: DAY_MS })
  const made = await limited(graph, markedRun(newRunOf(graph, job.runId, input), ports))
  if (made instanceof BatonError) {
    await delivery.deadLetter(`${made.code}: a job brings no key for a limit of ${graph.flowId}`)
    return 'dead-lettered'
  }
  const created = await store.create(made)
  if (created.status === 'created') {
    await ports.deliver?.(made.runId, firstWords(made, 0))
    await ports.send?.(jobsOfOthers(made, job))
  }
  if (created.status !== 'purged') return graph
  await delivery.acknowledge()
  return 'dead-lettered'
}

/** The job is for one start node, and whoever sent it need not know of the others. */
function jobsOfOthers(run: NewRun, { instanceId }: Job): readonly Job[] {
  const { runId, flowId, version, priority = 0 } = run
  const head = { runId, flowId, priority, ...(version === undefined ? {} : { version }) }
  const others = firstWork(run, 0).filter((id) => id !== instanceId)
  return others.map((id) => jobFor(head, id, 0))
}

/** Creates the run of a foreign job that was taken but never got so far. @returns whether there was such a job */
export async function createFromFallback(runId: RunId, ports: Ports): Promise<boolean> {
  const blueprintId = await ports.coordinationStore?.get(blueprintKey(runId))
  const graph = blueprintId === undefined ? undefined : ports.registry.latest(blueprintId)
  if (graph === undefined) return false
  const input = await inputOfNone(graph, ports.serializer)
  if (input instanceof BatonError) return false
  const run = await limited(graph, markedRun(newRunOf(graph, runId, input), ports))
  if (run instanceof BatonError) return false
  const created = await ports.store.create(run)
  if (created.status === 'created') await ports.deliver?.(runId, firstWords(run, 0))
  return created.status === 'created' || created.status === 'exists'
}

/** What the flow's schema makes of no input at all, or why it refuses that. */
async function inputOfNone(graph: Graph, serializer: ISerializer): Promise<JsonValue | undefined | BatonError> {
  if (graph.inputSchema === undefined) return undefined
  try {
    const input = await checkRunInput(graph.inputSchema, undefined)
    return input === undefined ? undefined : serializer.encode(input, 'input')
  } catch (thrown) {
    if (BatonError.is(thrown)) return thrown
    throw thrown
  }
}

function markedRun(run: NewRun, { publishJournals = false }: Ports): NewRun {
  return publishJournals ? { ...run, publishJournal: true } : run
}

/** A job brings no input that a key could come from. */
async function limited(graph: Graph, run: NewRun): Promise<NewRun | BatonError> {
  try {
    return await withGates(graph, run, { input: undefined, limitKey: undefined })
  } catch (thrown) {
    if (BatonError.is(thrown)) return thrown
    throw thrown
  }
}

function blueprintKey(runId: RunId): string {
  return `baton/blueprint/${runId}`
}
