import { describe, expect, it } from 'vitest'
import { InMemoryRunStore } from '../memory/run-store.ts'
import type { InstanceId, RunId } from '../model/ids.ts'
import type { Arrival } from '../model/run.ts'
import type { Outcome } from '../ports/transition.ts'

const runId = 'r' as RunId
const error = { name: 'Error', message: 'broken' }
const arrivalOf = (index: number, fate: Arrival['fate']): Arrival => {
  return { to: 'm' as InstanceId, edge: `[${index}]`, from: `m[${index}]` as InstanceId, fate, rule: 'map', of: 0 }
}

/** A map of two items; `z` keeps its run alive. */
class Hand {
  readonly store = new InMemoryRunStore()

  constructor() {
    const starts = ['m', 'z'] as InstanceId[]
    this.store.create({ runId, kind: 'workflow', flowId: 'flow', starts, failFast: false })
    this.commit(this.claim('m'), { type: 'expanded', items: [0, 1], concurrency: 2, maxFailures: 0 })
  }

  claim(instanceId: string) {
    const request = { runId, instanceId: instanceId as InstanceId, workerId: 'w', leaseMs: 60_000, claimId: instanceId }
    const result = this.store.claim(request)
    if (result.status !== 'claimed') throw new Error(`${instanceId} is ${result.status}`)
    return result.claim
  }

  commit({ instanceId, fence }: ReturnType<Hand['claim']>, outcome: Outcome): void {
    const result = this.store.commit({ runId, instanceId, fence, commitId: `${instanceId} ${fence}`, outcome })
    expect(result.status).toBe('committed')
  }

  settle(claim: ReturnType<Hand['claim']>, index: number, fate: 'succeeded' | 'failed'): void {
    const arrivals = [arrivalOf(index, fate)]
    const failed = { type: 'failed', error, arrivals, takenBy: { always: true, ifStarted: [] } } as const
    this.commit(claim, fate === 'failed' ? failed : { type: 'succeeded', output: index, arrivals })
  }

  /** The map itself has failed, and nobody takes it. */
  failMap(): void {
    this.commit(this.claim('m'), { type: 'failed', error, arrivals: [], takenBy: { always: false, ifStarted: [] } })
  }

  redrive(): void {
    expect(this.store.notify({ type: 'redrive', runId, instanceId: 'm' as InstanceId }).status).toBe('accepted')
  }

  statuses(): string[] {
    return this.store.load(runId)?.instances.map(({ instanceId, status }) => `${instanceId} ${status}`) ?? []
  }
}

describe('a map that is redriven', () => {
  it('does not run an item again that has succeeded when the map had its failures together', () => {
    const hand = new Hand()
    const [first, second] = [hand.claim('m[0]'), hand.claim('m[1]')]
    hand.settle(first, 0, 'failed')
    hand.settle(second, 1, 'succeeded')
    hand.failMap()

    hand.redrive()

    expect(hand.statuses()).toEqual(['m waiting', 'z ready', 'm[0] ready', 'm[1] succeeded'])
    hand.settle(hand.claim('m[0]'), 0, 'succeeded')
    expect(hand.claim('m').arrivals.map(({ from, output }) => [from, output])).toEqual([
      ['m[1]', 1],
      ['m[0]', 0],
    ])
  })

  it('is gathered once more where it has failed by itself, and all of its items had succeeded', () => {
    const hand = new Hand()
    for (const index of [0, 1]) hand.settle(hand.claim(`m[${index}]`), index, 'succeeded')
    hand.failMap()

    hand.redrive()

    expect(hand.statuses()).toEqual(['m ready', 'z ready', 'm[0] succeeded', 'm[1] succeeded'])
    expect(hand.claim('m').arrivals).toHaveLength(2)
  })
})
