/** Says yes or no to an approval that a run waits for, or has had. */
import { checkOptions, checkText } from '../model/check-options.ts'
import { BatonError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { type ApprovalDecision, isTerminal } from '../model/run.ts'
import { newestSummary } from './follow.ts'
import { runEnded, summaryOf, unknownRun } from './run-or-throw.ts'
import type { RunPorts } from './run-ports.ts'
import { tellRun } from './tell-run.ts'

export interface DecisionOptions {
  /** The id or name of the approval; needed only where several are pending. */
  readonly approval?: string
  readonly by?: string
  readonly reason?: string
  readonly payload?: unknown
}

export async function decide(
  runId: RunId,
  approved: boolean,
  options: DecisionOptions,
  ports: RunPorts,
): Promise<void> {
  checkOptions(options, ['approval', 'by', 'reason', 'payload'])
  const { approval, by, reason, payload } = options
  checkText(approval, 'approval')
  checkText(by, 'by')
  checkText(reason, 'reason')
  const decision: ApprovalDecision = {
    approved,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
    ...(payload === undefined ? {} : { payload: ports.serializer.encode(payload, 'payload') }),
  }
  const newest = await newestSummary(ports, runId)
  if (newest === undefined) throw unknownRun(runId)
  // Which approval is meant is for the run to say that asks for it.
  if (newest.runId !== runId) return decide(newest.runId, approved, options, ports)
  const approvalId = await approvalIdOf(runId, approval, ports)
  const result = await tellRun(ports, { type: 'decide', runId, approvalId, decision })
  switch (result.status) {
    case 'conflict': {
      const was = result.decision.approved ? 'approved' : 'denied'
      const who = result.decision.by === undefined ? '' : ` by ${result.decision.by}`
      throw new BatonError('APPROVAL_CONFLICT', { field: approvalId, message: `was ${was}${who} before`, runId })
    }
    case 'unknown-approval':
      throw new BatonError('UNKNOWN_APPROVAL', { field: approvalId, runId })
    case 'ended':
      throw runEnded(runId, result.run.status)
    default:
      return
  }
}

/** The approval's full id, from its id, its name, or the fact that only one is pending. */
async function approvalIdOf(runId: RunId, named: string | undefined, ports: RunPorts): Promise<string> {
  const { pendingApprovals, status } = await summaryOf(ports, runId)
  const pending = pendingApprovals.map(({ approvalId, instanceId }) => ({
    approvalId,
    name: `${instanceId}:${named}`,
  }))
  const isMeant = ({ approvalId, name }: (typeof pending)[number]) => approvalId === named || approvalId === name
  const matching = named === undefined ? pending : pending.filter(isMeant)
  const [only] = matching
  if (only !== undefined && matching.length === 1) return only.approvalId
  const decided = matching.length > 1 ? undefined : await decidedId(runId, named, ports)
  if (decided !== undefined) return decided
  if (isTerminal(status)) throw runEnded(runId, status)
  const ids = pending.map(({ approvalId }) => approvalId).join(', ') || 'none'
  throw new BatonError('UNKNOWN_APPROVAL', {
    field: named ?? 'approval',
    message: matching.length === 0 ? `not pending; pending: ${ids}` : `name one of: ${ids}`,
    runId,
  })
}

/** An approval that was decided before: saying the same again is no mistake, and saying otherwise a conflict. */
async function decidedId(runId: RunId, named: string | undefined, { store }: RunPorts): Promise<string | undefined> {
  const record = await store.load(runId)
  if (record === undefined) throw unknownRun(runId)
  const ids = Object.keys(record.decisions)
  const [only, ...others] = ids.filter((id) => named === undefined || id === named || id.endsWith(`:${named}`))
  return others.length === 0 ? only : undefined
}
