/**
 * When the sweep is to remind of something: a job that was sent and not answered, a message that nobody has taken, a journal that
 * nobody has published. No event speaks of it; a reminder too many costs a job.
 */
import type { InstanceId } from '../model/ids.ts'
import type { RunMessage } from '../model/message.ts'
import { isBehind, PUBLISHED } from '../model/publication.ts'
import { isSettled } from '../model/run.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import { claimableAt } from './due.ts'

export interface ReminderTimes {
  readonly redispatchMs: number
  readonly redispatchMaxMs: number
}

export const NO_IDS: readonly InstanceId[] = []

/** Empties the list of instances made ready, sets their reminders, and names those that want a job now. */
export function takeOpened(state: RunState, redispatchMs: number, atMs: number): readonly InstanceId[] {
  const { opened, stopping, held } = state
  if (opened.length === 0) return NO_IDS
  let ready: InstanceId[] | undefined
  for (const instance of opened) {
    if (instance.status !== 'ready') continue
    const later = instance.dueAtMs > atMs
    // Nobody sends a job for what only time makes ready: the sweep does, when its time has come.
    instance.remindAtMs = later || redispatchMs === NEVER ? instance.dueAtMs : atMs + redispatchMs
    if (later || stopping || held !== undefined) continue
    if (ready === undefined) ready = [instance.id]
    else ready.push(instance.id)
  }
  opened.length = 0
  return ready ?? NO_IDS
}

/** What may be claimed now that a pause is over: jobs for it that came meanwhile have found nothing. */
export function takeAllClaimable(state: RunState, redispatchMs: number, atMs: number): readonly InstanceId[] {
  return claimableAt(state, atMs).map((instance) => {
    instance.remindAtMs = redispatchMs === NEVER ? instance.dueAtMs : atMs + redispatchMs
    return instance.id
  })
}

/** Empties the list of what was posted, and sets the reminders. */
export function takeSent(state: RunState, redispatchMs: number, atMs: number): readonly RunMessage[] {
  const { sent, outbox } = state
  state.sent = []
  for (const { key } of sent) {
    const entry = outbox?.get(key)
    // Nobody brings what only time makes due: the sweep does.
    if (entry === undefined || redispatchMs === NEVER || entry.dueAtMs > atMs) continue
    entry.remindAtMs = atMs + redispatchMs
  }
  return sent
}

/** Jobs were sent again, or messages were not taken: the next reminder comes after twice the time. */
export function remindLater(
  state: RunState,
  instanceIds: readonly InstanceId[],
  messages: readonly string[],
  times: ReminderTimes,
  atMs: number,
): void {
  const { instances, outbox, publication } = state
  for (const id of instanceIds) {
    const instance = instances.get(id)
    if (instance !== undefined && !isSettled(instance.status)) postpone(instance, times, atMs)
  }
  for (const key of messages) {
    const entry = outbox?.get(key)
    if (entry !== undefined) postpone(entry, times, atMs)
    if (key === PUBLISHED && publication !== undefined && isBehind(state)) {
      postpone(publication, times, atMs)
      publication.unheededAtMs = (publication.remindAtMs ?? atMs) + times.redispatchMs
    }
  }
}

/** An event was recorded: whoever made it happen may publish it, or another one that has a sink. Else it is reminded of. */
export function remindOfJournal(state: RunState, redispatchMs: number, atMs: number): void {
  const { publication } = state
  if (publication === undefined || publication.remindAtMs !== undefined) return
  publication.remindAtMs = atMs + redispatchMs
  publication.unheededAtMs = publication.remindAtMs + redispatchMs
  if (publication.remindAtMs < state.newDueAtMs) state.newDueAtMs = publication.remindAtMs
}

interface Reminder {
  remindAtMs?: number | undefined
  dispatch: number
}

function postpone(reminder: Reminder, { redispatchMs, redispatchMaxMs }: ReminderTimes, atMs: number): void {
  reminder.remindAtMs = atMs + Math.min(redispatchMaxMs, redispatchMs * 2 ** reminder.dispatch)
  reminder.dispatch += 1
}
