import { BatonError } from '../model/errors.ts'
import type { ICoordinationStore } from './coordination-store.ts'
import type { IJobQueue } from './job-queue.ts'
import type { IRunStore } from './run-store.ts'

const runStoreMethods = [
  'create',
  'claim',
  'commit',
  'notify',
  'renew',
  'load',
  'summary',
  'context',
  'journal',
  'list',
  'due',
  'redispatch',
  'enlist',
  'waitingLists',
  'onEnlisted',
  'purge',
  'close',
] as const satisfies readonly (keyof IRunStore)[]

const jobQueueMethods = ['enqueue', 'consume', 'close'] as const satisfies readonly (keyof IJobQueue)[]

const coordinationStoreMethods = [
  'get',
  'setIfNotExist',
  'compareAndSet',
  'compareAndDelete',
  'increment',
  'extendTTL',
  'delete',
  'close',
] as const satisfies readonly (keyof ICoordinationStore)[]

/** Throws `INVALID_OPTION` naming what is missing: told at the door, not by the first run that needs it. */
export function assertRunStore(store: unknown, field = 'store'): asserts store is IRunStore {
  assertMethods(store, runStoreMethods, field, 'IRunStore')
}

export function assertJobQueue(queue: unknown, field = 'queue'): asserts queue is IJobQueue {
  assertMethods(queue, jobQueueMethods, field, 'IJobQueue')
}

export function assertCoordinationStore(
  store: unknown,
  field = 'coordinationStore',
): asserts store is ICoordinationStore {
  assertMethods(store, coordinationStoreMethods, field, 'ICoordinationStore')
}

function assertMethods(port: unknown, methods: readonly string[], field: string, name: string): void {
  const members = (typeof port === 'object' && port !== null ? port : {}) as { readonly [method: string]: unknown }
  const missing = methods.filter((method) => typeof members[method] !== 'function')
  if (missing.length === 0) return
  throw new BatonError('INVALID_OPTION', {
    field,
    message: `not an ${name}: it has no ${missing.join(', ')}`,
    hint: `Pass an instance of a store, queue or coordination store, e.g. new InMemoryRunStore().`,
  })
}
