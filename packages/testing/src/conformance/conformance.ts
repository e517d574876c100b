import { adapterSuite } from './adapter.ts'
import { coordinationStore } from './coordination-store.ts'
import { jobQueue } from './job-queue.ts'
import { promiseSuites } from './promises.ts'
import { runStoreSuites } from './run-store.ts'
import type { Subject } from './subject.ts'
import { registerSuites, type Suite } from './suite.ts'

/** Everything that the kit asks of an adapter: its ports one by one, then all of them at work. */
export const allSuites: readonly Suite[] = [
  ...runStoreSuites,
  coordinationStore,
  jobQueue,
  adapterSuite,
  ...promiseSuites,
]

/** Registers the cases for a run store with vitest. */
export function runStoreConformance(subject: Subject): void {
  registerSuites(subject, runStoreSuites, allSuites)
}

/** Registers the cases for a coordination store. */
export function coordinationStoreConformance(subject: Subject): void {
  registerSuites(subject, [coordinationStore], allSuites)
}

/** Registers the cases for a job queue. */
export function jobQueueConformance(subject: Subject): void {
  registerSuites(subject, [jobQueue], allSuites)
}

/** Registers the cases in which real workers run on the ports: the adapter, and the promises P1 to P10. */
export function adapterConformance(subject: Subject): void {
  registerSuites(subject, [adapterSuite, ...promiseSuites], allSuites)
}

/** Registers every case of the kit. */
export function conformance(subject: Subject): void {
  registerSuites(subject, allSuites, allSuites)
}
