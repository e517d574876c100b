import { enlistedIn, enlistedSince } from '../model/waiting-list.ts'
import type { DueFlow } from '../ports/run-store.ts'
import type { WaitingList } from '../ports/waiting-lists.ts'
import type { RunMachine } from './run-machine.ts'

/** What operators are told of a waiting list: for stores that can look at its runs. Undefined when none is on it. */
export function tallyOf({ flowId, version }: DueFlow, machines: readonly RunMachine[]): WaitingList | undefined {
  let count = 0
  let sinceMs = Number.POSITIVE_INFINITY
  for (const { state } of machines) {
    count += enlistedIn(state).length
    sinceMs = Math.min(sinceMs, enlistedSince(state) ?? sinceMs)
  }
  return count === 0 ? undefined : { flowId, ...(version === undefined ? {} : { version }), count, sinceMs }
}
