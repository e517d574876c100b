/** Which dead letters of a live run can be opened again where they are. */
import type { RunFact } from '../model/event.ts'
import type { InstanceId } from '../model/ids.ts'
import { behind } from '../model/reopen.ts'
import type { RunState } from '../model/run-state.ts'
import type { Notice, RedriveRefusal } from '../ports/notice.ts'

/** The one that is named, or all of them: each is opened, or none is. */
export function reopened(
  state: RunState,
  { instanceId, by }: Extract<Notice, { type: 'redrive' }>,
): { readonly facts: readonly RunFact[] } | { readonly refusal: RedriveRefusal } {
  const dead = state.deadLetters ?? new Map<InstanceId, number>()
  const ids = instanceId === undefined ? [...dead.keys()] : [instanceId]
  if (!ids.some((id) => dead.has(id))) return { refusal: { status: 'not-dead-lettered' } }
  if (state.stopping) return { refusal: { status: 'stopping' } }
  const facts: RunFact[] = []
  for (const id of ids) {
    // Two may have decided the same: what was undone waits, and may be undone once more.
    const { undone, goneOn } = undoneWith(state, id)
    if (goneOn !== undefined) return { refusal: { status: 'gone-on', deadLetter: id, instanceId: goneOn } }
    facts.push({ type: 'node-reopened', instanceId: id, undone, ...(by === undefined ? {} : { by }) })
  }
  return { facts }
}

/** Sound only while nobody has acted on its failure: nothing behind it has started. */
function undoneWith(state: RunState, id: InstanceId): ReturnType<typeof behind> {
  const goneOn = heldItemOf(state, id)
  return goneOn === undefined ? behind(state, id) : { undone: [], goneOn }
}

/** An item of a failed map that was called off while somebody held it: it may still record what happened. */
function heldItemOf(state: RunState, mapId: InstanceId): InstanceId | undefined {
  for (const { id, status } of state.instances.values()) {
    if (status === 'claimed' && id.startsWith(`${mapId}[`)) return id
  }
  return undefined
}
