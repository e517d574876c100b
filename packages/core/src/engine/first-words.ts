/**
 * What a run has to say as soon as it exists. A store's `create` does not give it back: whoever creates a run knows, and
 * delivers it. It lies in the run's outbox all the same, for the sweep.
 */
import { startMessage } from '../model/family.ts'
import type { RunMessage } from '../model/message.ts'
import { requestAt } from '../model/pass-gates.ts'
import type { NewRun } from '../model/run.ts'

/** @param nowMs what a run says only when its time has come is the sweep's to find */
export function firstWords(run: NewRun, nowMs: number): readonly RunMessage[] {
  const { gates: [gate] = [], priority = 0, startAtMs = 0, from } = run
  const children = from?.children.filter(({ isNew }) => isNew) ?? []
  const requests = gate === undefined || startAtMs > nowMs ? [] : [requestAt(gate, priority)]
  return [...requests, ...children.map((child) => startMessage(child.run))]
}

/** The instances of a new run that want a job at once. */
export function firstWork({ gates = [], starts, startAtMs = 0 }: NewRun, nowMs: number): NewRun['starts'] {
  return gates.length > 0 || startAtMs > nowMs ? [] : starts
}
