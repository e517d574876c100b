import { parseRunId } from '../src/model/ids.ts'
import type { Claim } from '../src/ports/claim.ts'

/** A first claim of an instance, by nobody in particular. */
export function claimOf(instanceId: string, more: Partial<Claim> = {}): Claim {
  const runId = parseRunId('run')
  const head: Claim['head'] = {
    runId,
    kind: 'workflow',
    flowId: 'flow',
    tags: [],
    priority: 0,
    failFast: true,
    lineage: { rootRunId: runId },
    correlation: { traceId: 't', spanId: 's' },
    createdAtMs: 0,
  }
  return { head, instanceId, fence: 1, attempt: 1, lostLeases: 0, arrivals: [], steps: [], context: {}, ...more }
}
