import { BatonError } from '../model/errors.ts'
import type { ICoordinationStore } from './coordination-store.ts'
import type { IJobQueue } from './job-queue.ts'
import type { IJournalSink } from './journal-sink.ts'
import type { IRunStore } from './run-store.ts'

/** All of them: a method that a port gains cannot be forgotten here. */
type Methods<Port> = {
  readonly [Member in keyof Port as Port[Member] extends (...args: never) => unknown ? Member : never]: true
}

const runStoreMethods = {
  create: true,
  claim: true,
  commit: true,
  notify: true,
  renew: true,
  load: true,
  summary: true,
  context: true,
  journal: true,
  list: true,
  due: true,
  redispatch: true,
  enlist: true,
  waitingLists: true,
  onEnlisted: true,
  delivered: true,
  purge: true,
  close: true,
} as const satisfies Methods<IRunStore>

const jobQueueMethods = {
  enqueue: true,
  consume: true,
  close: true,
} as const satisfies Methods<IJobQueue>

const coordinationStoreMethods = {
  get: true,
  setIfNotExist: true,
  compareAndSet: true,
  compareAndDelete: true,
  increment: true,
  extendTTL: true,
  delete: true,
  close: true,
} as const satisfies Methods<ICoordinationStore>

const journalSinkMethods = { publish: true, close: true } as const satisfies Methods<IJournalSink>

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

export function assertJournalSink(sink: unknown, field = 'journalSink'): asserts sink is IJournalSink {
  assertMethods(sink, journalSinkMethods, field, 'IJournalSink')
}

function assertMethods(port: unknown, methods: object, field: string, name: string): void {
  const members = (typeof port === 'object' && port !== null ? port : {}) as { readonly [method: string]: unknown }
  const missing = Object.keys(methods).filter((method) => typeof members[method] !== 'function')
  if (missing.length === 0) return
  throw new BatonError('INVALID_OPTION', {
    field,
    message: `not an ${name}: it has no ${missing.join(', ')}`,
    hint: `Pass an instance of a store, queue or coordination store, e.g. new InMemoryRunStore().`,
  })
}
