/** What is called off is over at once, unless somebody holds it: who does may still record what happened. */
import type { InstanceModel } from './instance-model.ts'
import type { WaitsModel } from './waits-model.ts'

type Instances = ReadonlyMap<string, InstanceModel>

export function callOff(instance: InstanceModel, instances: Instances, waits: WaitsModel): void {
  if (instance.phase === 'settled' || instance.phase === 'claimed') return
  waits.leaves(instance)
  instance.phase = 'settled'
  instance.fate = { fate: 'cancelled' }
  if (instance.isMap) callOffItems(instance, instances, waits)
}

/** A map that has settled has no use for the items that are still on their way. */
export function callOffItems({ id }: InstanceModel, instances: Instances, waits: WaitsModel): void {
  for (const other of instances.values()) if (other.id.startsWith(`${id}[`)) callOff(other, instances, waits)
}
