/** Who waits for which news, as the referee follows it: each signal wakes one, first come first served. */
import type { InstanceModel } from './instance-model.ts'

export class WaitsModel {
  readonly #waiting = new Map<string, InstanceModel[]>()
  readonly #kept = new Map<string, number>()

  /** @returns whether the news had come before */
  waits(instance: InstanceModel, kind: 'signal' | 'approval', name: string): boolean {
    const key = `${kind} ${name}`
    const kept = this.#kept.get(key) ?? 0
    if (kept > 0) {
      this.#kept.set(key, kept - 1)
      return true
    }
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) this.#waiting.set(key, [instance])
    else waiting.push(instance)
    return false
  }

  /** The names of signals that nobody has used. */
  kept(): string[] {
    return [...this.#kept].flatMap(([key, count]) => Array.from({ length: count }, () => key.slice('signal '.length)))
  }

  /** It waits no longer: its time is up, or it was called off. */
  leaves(instance: InstanceModel): void {
    for (const waiting of this.#waiting.values()) {
      const index = waiting.indexOf(instance)
      if (index >= 0) waiting.splice(index, 1)
    }
  }

  /** @returns whom it wakes */
  comes(kind: 'signal' | 'approval', name: string): InstanceModel | undefined {
    const key = `${kind} ${name}`
    const woken = this.#waiting.get(key)?.shift()
    if (woken === undefined && kind === 'signal') this.#kept.set(key, (this.#kept.get(key) ?? 0) + 1)
    return woken
  }
}
