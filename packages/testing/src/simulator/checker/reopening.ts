/**
 * Work that has failed and is given another chance, as the referee follows it: the instance starts afresh, and what nobody has run
 * and only its failure has decided is open again.
 */
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
  if (instance === undefined || !run.deadLetters.delete(instanceId))
    return `${instanceId} is opened again, and is no dead letter`
  for (const id of undone) {
    if (run.instances.get(id)?.hasStarted === true) return `${id} has started, and is undone`
    run.instances.delete(id)
    run.failures.delete(id)
  }
  run.fates = run.fates.without(new Set([instanceId, ...undone]))
  startAfresh(run, instance, atMs)
  return leftBehind(run)
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
export function leftBehind({ fates, instances, rules }: RunModel): string | undefined {
  for (const [id, { fate }] of fates.all) {
    if (fate === 'cancelled' || instances.get(id)?.hasStarted === true || !rules.isJoin(id)) continue
    if (rules.stateNow(id, fates) === 'waits') return `${id} stays ${fate}, and what decided it is done over`
  }
  return undefined
}
