import { describe, expect, it } from 'vitest'
import { InMemoryCoordinationStore } from '../memory/coordination-store.ts'
import { InMemoryJobQueue } from '../memory/job-queue.ts'
import { InMemoryRunStore } from '../memory/run-store.ts'
import { assertCoordinationStore, assertJobQueue, assertRunStore } from './assert-ports.ts'

describe('what is handed in as a port', () => {
  it('passes when it has every method', () => {
    expect(() => assertRunStore(new InMemoryRunStore())).not.toThrow()
    expect(() => assertJobQueue(new InMemoryJobQueue())).not.toThrow()
    expect(() => assertCoordinationStore(new InMemoryCoordinationStore())).not.toThrow()
  })

  it('is refused with the methods that it lacks', () => {
    expect(() => assertRunStore(undefined)).toThrow(/store: not an IRunStore: it has no create, claim/)
    expect(() => assertRunStore({ ...new InMemoryRunStore(), create() {} })).toThrow(/has no claim, commit/)
    const { delivered: _, ...methods } = Object.fromEntries(
      Object.getOwnPropertyNames(InMemoryRunStore.prototype).map((name) => [name, () => {}]),
    )
    expect(() => assertRunStore(methods)).toThrow(/has no delivered$/)
    expect(() => assertJobQueue(new InMemoryRunStore())).toThrow(/queue: not an IJobQueue: it has no enqueue, consume/)
    expect(() => assertCoordinationStore(new Map())).toThrow(/has no setIfNotExist, compareAndSet/)
  })
})
