/**
 * The runs that a run has started, and what it has to tell others, as the referee follows both from events alone. What was
 * told is in here until the store is asked to forget it.
 */
import type { RunEvent } from '@baton/core'
import type { InstanceModel } from './instance-model.ts'

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>
type Started = EventOf<'child-started'>
type Message = EventOf<'message-sent'>['message']

type NewChild = Pick<Started, 'run' | 'instanceId' | 'detached'> & { readonly isCarried?: boolean }

export interface ChildModel {
  readonly run: Started['run']
  readonly instanceId: string
  readonly isDetached: boolean
  /** An earlier run of the row has started it: none of the nodes of this one has. */
  readonly isCarried?: boolean
  end: EventOf<'child-ended'>['end'] | undefined
}

/** Something that another run is to be told. */
export interface Told {
  readonly type: Message['body']['type']
  readonly to: string
}

export class FamilyModel {
  readonly children = new Map<string, ChildModel>()
  /** All that was ever told, by key. */
  readonly told = new Map<string, Told>()
  /** The keys of what is still on its way. */
  readonly outbox = new Set<string>()
  parent: string | undefined
  /** Who waits for which child. */
  readonly waiting = new Map<string, InstanceModel[]>()

  starts({ run, instanceId, detached, isCarried = false }: NewChild): void {
    if (this.children.has(run.runId)) return
    this.children.set(run.runId, { run, instanceId, isDetached: detached, isCarried, end: undefined })
    this.tells(`start:${run.runId}`, { type: 'start', to: run.runId })
  }

  /** A child that an earlier run of its row has started. */
  takesAlong({ run, instanceId }: Pick<Started, 'run' | 'instanceId'>): void {
    this.children.set(run.runId, { run, instanceId, isDetached: false, isCarried: true, end: undefined })
  }

  /** A child of the run that it was made of. */
  shares({ run, instanceId, detached, isCarried = false, end }: NewChild & Pick<Partial<ChildModel>, 'end'>): void {
    this.children.set(run.runId, { run, instanceId, isDetached: detached, isCarried, end })
  }

  /** @returns who has waited for it */
  ended(childRunId: string, end: ChildModel['end']): readonly InstanceModel[] {
    const child = this.children.get(childRunId)
    if (child !== undefined) child.end = end
    const waiting = this.waiting.get(childRunId) ?? []
    this.waiting.delete(childRunId)
    return waiting
  }

  /** @returns whether it has ended before */
  waits(instance: InstanceModel, childRunId: string): boolean {
    if (this.children.get(childRunId)?.end !== undefined) return true
    this.waiting.set(childRunId, [...(this.waiting.get(childRunId) ?? []), instance])
    return false
  }

  /** It waits no longer. */
  leaves(instance: InstanceModel): void {
    for (const waiting of this.waiting.values()) {
      const index = waiting.indexOf(instance)
      if (index >= 0) waiting.splice(index, 1)
    }
  }

  /** The children that still run have nobody to run for: all of them, or those of one instance. */
  callsOff(instanceId?: string): void {
    for (const [runId, child] of this.children) {
      if (child.isDetached || child.end !== undefined) continue
      if (instanceId === undefined || (instanceId === child.instanceId && child.isCarried !== true)) {
        this.tells(`cancel:${runId}`, { type: 'cancel', to: runId })
      }
    }
  }

  sends({ key, to, body }: Message): void {
    this.tells(key, { type: body.type, to })
  }

  /** There is nothing to tell any more. */
  takesBack(key: string): void {
    this.outbox.delete(key)
  }

  tellsParent(): void {
    if (this.parent !== undefined) this.tells('child-ended', { type: 'child-ended', to: this.parent })
  }

  tells(key: string, told: Told): void {
    this.told.set(key, told)
    this.outbox.add(key)
  }
}
