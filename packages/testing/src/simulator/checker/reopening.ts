/**
 * Work that has failed and is given another chance, as the referee follows it: the instance starts afresh, and what nobody has run
 * and only its failure has decided is open again.
 */
import { isPassedOver, reviewLetters } from './dead-letter-model.ts'
import type { Fates } from './fates.ts'
import type { InstanceModel } from './instance-model.ts'
import type { RunModel } from './run-model.ts'

interface Reopened {
  readonly instanceId: string
  /** What its failure had decided, as the run says. */
  readonly undone: readonly string[]
  readonly atMs: number
}

/** @returns why that must not be */
export function reopen(run: RunModel, { instanceId, undone, atMs }: Reopened): string | undefined {
  const instance = run.instances.get(instanceId)
  if (instance === undefined || !run.redrivable.delete(instanceId))
    return `${instanceId} is opened again, and is no dead letter`
  run.deadLetters.delete(instanceId)
  const hasRun = undone.find((id) => hasActed(run, id))
  if (hasRun !== undefined) return `${hasRun} was run, and is undone`
  run.fates = run.fates.without(new Set([instanceId, ...undone]))
  for (const id of undone) undo(run, id, atMs)
  startAfresh(run, instance, atMs)
  reviewLetters(run)
  return leftBehind(run)
}

/** What came before it has not decided its fate: somebody has run it, or holds it. */
export function hasActed({ instances, fates }: RunModel, id: string): boolean {
  const instance = instances.get(id)
  if (instance?.hasStarted !== true || isPassedOver(fates.of(id))) return false
  // Whoever had claimed it would have passed it over, and is gone.
  return instance.phase !== 'ready' || instance.stateAtStart !== 'fail'
}

/** As if nothing had reached it; but the next claim is another one than those that there were. */
export function undo(run: RunModel, id: string, atMs: number): void {
  const instance = run.instances.get(id)
  run.failures.delete(id)
  if (instance === undefined) return
  if (instance.fence === 0) run.instances.delete(id)
  reset(instance, atMs)
  instance.hasStarted = false
  instance.stateAtStart = undefined
}

/** As if it had never been tried, but for what its steps have recorded. A map keeps its items that have succeeded. */
export function startAfresh(run: RunModel, instance: InstanceModel, atMs: number): void {
  reset(instance, atMs)
  run.failures.delete(instance.id)
  instance.forgetsVainWaits()
  if (!instance.isMap) return
  instance.phase = 'expanded'
  const again = [...run.instances.values()].filter((item) => isItemToRedo(item, instance, run.fates))
  for (const item of again) {
    run.waits.leaves(item)
    run.family.leaves(item)
    reset(item, atMs)
  }
  run.fates = run.fates.without(new Set(again.map(({ id }) => id)))
}

function isItemToRedo({ id }: InstanceModel, map: InstanceModel, fates: Fates): boolean {
  return id.startsWith(`${map.id}[`) && fates.of(id)?.fate !== 'succeeded'
}

function reset(instance: InstanceModel, atMs: number): void {
  instance.phase = 'ready'
  instance.notBeforeMs = atMs
  instance.failures = 0
  instance.lost = 0
  instance.isCalledOff = false
}

/** @returns what is settled still, though what had decided it is open again */
export function leftBehind(run: RunModel): string | undefined {
  const { fates, rules } = run
  for (const [id, { fate }] of fates.all) {
    if (fate === 'cancelled' || hasActed(run, id) || !rules.isJoin(id)) continue
    if (rules.stateNow(id, fates) === 'waits') return `${id} stays ${fate}, and what decided it is done over`
  }
  return undefined
}
