import type { RunnableFlow } from '@baton/core'
import { scheduleFlow } from './schedule-flow.ts'

/**
 * The flows, and for each of them the one that keeps its schedules: what a worker is given. A schedule of a flow is then
 * carried on wherever the flow is, and nowhere else.
 *
 * ```ts
 * const adapter = new InMemoryAdapter({ runtimeOptions: { flows: withSchedules([nightly]) } })
 * ```
 */
export function withSchedules(flows: readonly RunnableFlow[]): RunnableFlow[] {
  // One for all versions: it starts the version that was listed last.
  const ids = new Set(flows.map((flow) => flow.toBlueprint().id))
  return [...flows, ...[...ids].map((flowId) => scheduleFlow(flowId))]
}
