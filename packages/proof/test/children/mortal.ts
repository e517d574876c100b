/** Processes that die at a chosen point: in a call of a port, before it takes effect or before its answer is seen. */
import type { IRunStore } from '@baton/core'
import { withMethods } from '../../src/chaos/watched-store.ts'

export interface Point {
  readonly method: 'claim' | 'commit' | 'create' | 'delivered' | 'enlist' | 'notify'
  readonly when: 'before' | 'after'
  /** A part of the call's arguments as JSON: which of the calls it is. */
  readonly with: string
}

/** What a worker process is told, as JSON in its first argument. */
export interface MortalOrders {
  readonly directory: string
  readonly workerId: string
  /** Of `seat`, beside all other flows. */
  readonly seatVersion: string
  readonly diesAt?: Point
}

export function mortal(store: IRunStore, point: Point | undefined): IRunStore {
  if (point === undefined) return store
  const call = store[point.method].bind(store) as (...args: readonly unknown[]) => unknown
  const dying = async (...args: readonly unknown[]) => {
    if (!JSON.stringify(args).includes(point.with)) return call(...args)
    if (point.when === 'after') await call(...args)
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  return withMethods(store, { [point.method]: dying } as Partial<IRunStore>)
}
