import { notifyNewest } from '../engine/notify-newest.ts'
import { BatonError } from '../model/errors.ts'
import type { Notice, NoticeResult } from '../ports/notice.ts'
import { unknownRun } from './run-or-throw.ts'
import type { RunPorts } from './run-ports.ts'

/**
 * Tells a run something, or the one that goes on for it, and sees to what it leads to. Throws `UNKNOWN_RUN`, and
 * `TOO_LARGE` for what does not fit into the store.
 */
export async function tellRun(ports: RunPorts, notice: Notice): Promise<NoticeResult> {
  const { store, bring } = ports
  const { runId, result } = await notifyNewest(store, notice, bring)
  if (notice.type === 'cancel') ports.onCancel?.(runId)
  if (result.status === 'unknown-run') throw unknownRun(notice.runId)
  if (result.status === 'too-large') {
    throw new BatonError('TOO_LARGE', {
      field: 'payload',
      message: `the store takes ${result.limitBytes} bytes`,
      runId: notice.runId,
    })
  }
  if (result.status !== 'accepted') return result
  if (result.ready.length > 0) await ports.send(runId, result.ready)
  if (result.sent !== undefined) await ports.deliver(runId, result.sent)
  return result
}
