/** What is called off is over at once, unless somebody holds it: who does may still record what happened. */
import type { FamilyModel } from './family-model.ts'
import type { Fates } from './fates.ts'
import type { InstanceModel } from './instance-model.ts'
import type { WaitsModel } from './waits-model.ts'

interface Run {
  readonly instances: ReadonlyMap<string, InstanceModel>
  readonly waits: WaitsModel
  readonly fates: Fates
  readonly family: FamilyModel
}

export function callOff(instance: InstanceModel, run: Run): void {
  if (instance.phase === 'claimed') instance.isCalledOff = true
  if (instance.phase === 'settled' || instance.phase === 'claimed') return
  run.waits.leaves(instance)
  run.family.leaves(instance)
  instance.phase = 'settled'
  run.fates.note(instance.id, { fate: 'cancelled' })
  run.family.callsOff(instance.id)
  if (instance.isMap) callOffItems(instance, run)
}

/** A map that has settled has no use for the items that are still on their way. */
export function callOffItems({ id }: InstanceModel, run: Run): void {
  for (const other of run.instances.values()) if (other.id.startsWith(`${id}[`)) callOff(other, run)
}
