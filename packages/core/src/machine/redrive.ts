/** Whether a dead letter of a live run can be opened again where it is. */
import type { InstanceId } from '../model/ids.ts'
import { behind } from '../model/reopen.ts'
import type { RunState } from '../model/run-state.ts'
import type { RedriveRefusal } from '../ports/notice.ts'

/** Sound only while nobody has acted on its failure: nothing behind it has started, and the run does not stop for it. */
export function whyNotReopened(state: RunState, instanceId: InstanceId): RedriveRefusal | undefined {
  if (state.deadLetters?.has(instanceId) !== true) return { status: 'not-dead-lettered' }
  if (state.stopping) return { status: 'stopping' }
  const held = heldItemOf(state, instanceId)
  if (held !== undefined) return { status: 'gone-on', instanceId: held }
  const found = behind(state, instanceId)
  return 'goneOn' in found ? { status: 'gone-on', instanceId: found.goneOn } : undefined
}

export function undoneBy(state: RunState, instanceId: InstanceId): readonly InstanceId[] {
  const found = behind(state, instanceId)
  return 'undone' in found ? found.undone : []
}

/** An item of a failed map that was called off while somebody held it: it may still record what happened. */
function heldItemOf(state: RunState, mapId: InstanceId): InstanceId | undefined {
  for (const { id, status } of state.instances.values()) {
    if (status === 'claimed' && id.startsWith(`${mapId}[`)) return id
  }
  return undefined
}
