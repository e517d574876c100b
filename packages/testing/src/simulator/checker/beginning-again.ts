/**
 * A run that does an ended one's failed work over: it must begin where that one was before its first failure, with all that had
 * been done by then, and leave it as it is.
 */
import { isDeepStrictEqual } from 'node:util'
import type { RunEvent } from '@baton/core'
import { isSettled } from '@baton/core/adapter'
import type { InstanceModel } from './instance-model.ts'
import { hasActed, leftBehind, startAfresh, undo } from './reopening.ts'
import type { RunModel } from './run-model.ts'

type Started = Extract<RunEvent, { type: 'run-started' }>
type Snapshot = NonNullable<Started['from']>
type Kept = Snapshot['instances'][number]

/** The run that it was made of. */
export interface Source {
  readonly model: RunModel
  readonly events: readonly RunEvent[]
}

/** @returns what is wrong with the beginning */
export function beginAgain(run: RunModel, event: Started, source: Source | undefined): string | undefined {
  const { from, starts, head } = event
  const letters = [...(source?.model.deadLetters ?? [])].sort(([, left], [, right]) => left - right)
  const failedSeq = letters[0]?.[1]
  if (source?.model.end === undefined || from === undefined || failedSeq === undefined)
    return 'no ended run with dead letters to begin from'
  // What had failed before the run began is done over from its beginning.
  const beginSeq = Math.max(1, failedSeq - 1)
  if (head.lineage.branchCheckpointId !== `c${beginSeq}`) return `it does not begin after event ${beginSeq}`
  const before = source.model.replay(source.events.slice(0, beginSeq))
  const redone = [...before.deadLetters.keys(), ...letters.flatMap(([id, seq]) => (seq <= failedSeq ? [id] : []))]
  const mistake = mistakeOfFates(before, from, redone, event.atMs)
  if (mistake !== undefined) return mistake
  run.takesOver(before)
  takeUpClaims(run, from, event.atMs)
  for (const id of redone) {
    const instance = run.instances.get(id)
    if (instance === undefined) return `${id} is not there to be done over`
    run.deadLetters.delete(id)
    startAfresh(run, instance, event.atMs)
  }
  const left = leftBehind(run)
  if (left !== undefined) return left
  for (const id of starts) {
    if (run.fates.of(id) !== undefined) return `${id} is done, and starts again`
  }
  return takeUpChildren(run, before, event)
}

/** What was done stays done, with what it gave; what was not is not. */
function mistakeOfFates(before: RunModel, from: Snapshot, redone: readonly string[], atMs: number): string | undefined {
  const kept = new Map<string, Kept>(from.instances.map((instance) => [instance.id, instance]))
  const open = new Set<string>()
  const undone: string[] = []
  for (const [id, { fate, output }] of before.fates.all) {
    const now = kept.get(id)
    if (now !== undefined && isSettled(now.status)) {
      const isSame =
        now.status === fate &&
        isDeepStrictEqual(now.output ?? null, fate === 'succeeded' ? (output ?? null) : (now.output ?? null))
      if (!isSame) return `${id} was ${fate}, and is ${now.status} with ${JSON.stringify(now.output)}`
      continue
    }
    const isRedone = redone.some((letter) => id === letter || id.startsWith(`${letter}[`))
    const wasRun = hasActed(before, id)
    if (fate === 'succeeded' || (wasRun && !isRedone)) return `${id} was ${fate}, and is to be done over`
    open.add(id)
    if (!wasRun) undone.push(id)
  }
  before.fates = before.fates.without(open)
  for (const id of undone) undo(before, id, atMs)
  for (const { id, status } of from.instances) {
    const isOff = status === 'cancelled' && wasCalledOff(before, id)
    if (isSettled(status) && !isOff && before.fates.of(id) === undefined) return `${id} was not ${status}`
  }
  return undefined
}

/** Of an item that nobody had claimed when its map settled no event speaks: it was called off all the same. */
function wasCalledOff({ instances, fates }: RunModel, id: string): boolean {
  const instance = instances.get(id)
  if (instance !== undefined) return instance.isCalledOff
  const map = /^(.+)\[\d+\]$/.exec(id)?.[1]
  return map !== undefined && fates.of(map) !== undefined
}

/** Nobody holds a claim of the new run; what was called off while somebody held it is over. */
function takeUpClaims(run: RunModel, from: Snapshot, atMs: number): void {
  const off = new Set(from.instances.flatMap(({ id, status }) => (status === 'cancelled' ? [id as string] : [])))
  for (const instance of run.instances.values()) {
    for (const [position, { name }] of instance.steps) instance.steps.set(position, { name, seq: 0 })
    // Its predecessors are asked once more when somebody claims it.
    if (instance.phase !== 'settled' && instance.stateAtStart === 'fail') instance.hasStarted = false
    if (instance.phase !== 'claimed') continue
    if (!off.has(instance.id)) run.becomes(instance, 'ready', atMs)
    else {
      instance.phase = 'settled'
      run.fates.note(instance.id, { fate: 'cancelled' })
    }
  }
}

/** Children that had ended, or have completed since, are shared; others are started anew, and waited for under their new ids. */
function takeUpChildren(run: RunModel, before: RunModel, { from, starts, atMs }: Started): string | undefined {
  const newIds = new Map<string, string>()
  for (const child of from?.children ?? []) {
    const { runId } = child.run
    const oldId = child.isNew === true ? (child.run.lineage?.branchOriginRunId ?? '') : runId
    const known = before.family.children.get(oldId)
    if (known === undefined) return `${oldId} was no child of it`
    if (known.run.flowId !== child.run.flowId || !isDeepStrictEqual(known.run.input, child.run.input)) {
      return `${runId} is not what ${oldId} was`
    }
    if (child.isNew !== true) run.family.shares(child)
    else {
      newIds.set(oldId, runId)
      run.family.starts(child)
    }
  }
  const isWoken = ({ id }: InstanceModel) => (starts as readonly string[]).includes(id)
  for (const [name, instances] of before.family.waiting) {
    for (const instance of instances) {
      if (run.instances.get(instance.id) !== instance || instance.phase !== 'awaiting') continue
      if (isWoken(instance)) run.becomes(instance, 'ready', atMs)
      else run.family.waits(instance, newIds.get(name) ?? name)
    }
  }
  return undefined
}
