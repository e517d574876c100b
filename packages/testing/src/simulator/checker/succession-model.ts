/** What must be so where a run ends and another one goes on for it: what the new one is, and what goes along. */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent } from '@baton/core'
import type { NewRun } from '@baton/core/adapter'
import { continuedInput, inputOf } from '../workload/inputs.ts'
import type { RunModel } from './run-model.ts'

type Started = Extract<RunEvent, { type: 'run-started' }>

/** More ids of signals than that do not go along. No simulated run gets as many. */
const MOST_IDS = 1_000

/** @returns what is wrong with the run that shall go on for this one */
export function mistakeOfNext(run: RunModel, next: NewRun): string | undefined {
  const { carried, ...rest } = next
  if (!isDeepStrictEqual(rest, run.continueAs)) return `it goes on as ${next.runId}, which is not what its node said`
  if (!isDeepStrictEqual(next.input, inputOf(run.flow, continuedInput(run.runId)))) {
    return `${next.runId} is given ${JSON.stringify(next.input)}`
  }
  const { succession, parentRunId } = next.lineage ?? {}
  const isNext = succession?.firstRunId === run.firstRunId && succession.previousRunId === run.runId
  if (!isNext || succession.link !== run.link + 1) return `${next.runId} is not next in its row`
  if (parentRunId !== run.family.parent) return `${next.runId} has another parent`
  return mistakeOfCarried(run, carried)
}

function mistakeOfCarried({ waits, signalIds, family, isHeld }: RunModel, carried: NewRun['carried']) {
  const { signals = [], children = [], pause } = carried ?? {}
  const names = signals.map(({ name }) => name).sort()
  if (!isDeepStrictEqual(names, waits.kept().sort()))
    return `the signals that go along are ${names.join(', ') || 'none'}`
  const ids = carried?.signalIds ?? []
  const isAll = ids.length === Math.min(MOST_IDS, signalIds.size) && ids.every((id) => signalIds.has(id))
  if (!isAll) return 'not the ids of all signals go along'
  const live = [...family.children].flatMap(([id, { isDetached, end }]) =>
    isDetached || end !== undefined ? [] : [id],
  )
  const along = children.map((child) => child.run.runId as string)
  if (!isDeepStrictEqual(along.sort(), live.sort()))
    return `the children that go along are ${along.join(', ') || 'none'}`
  return isHeld === (pause !== undefined) ? undefined : 'its pause does not go along'
}

/** The new run begins with what the old one has left. */
export function takeOver(run: RunModel, carried: NonNullable<NewRun['carried']>): void {
  for (const { name } of carried.signals ?? []) run.waits.comes('signal', name)
  for (const id of carried.signalIds ?? []) run.signalIds.add(id)
  for (const child of carried.children ?? []) run.family.takesAlong(child)
  run.isHeld = carried.pause !== undefined
}

/** What a successor must have been started with. */
export function isAsGiven(next: NewRun, started: Started): boolean {
  const { head, input, context, starts, startAtMs, carried } = started
  const { flowId, version, lineage, gates, priority = 0 } = next
  return (
    isDeepStrictEqual(
      [flowId, version, lineage, gates, priority],
      [head.flowId, head.version, head.lineage, head.gates, head.priority],
    ) &&
    isDeepStrictEqual(
      [next.input, next.context, next.starts, next.startAtMs, next.carried],
      [input, context, starts, startAtMs, carried],
    )
  )
}
