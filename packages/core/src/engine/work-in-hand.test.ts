import { describe, expect, it } from 'vitest'
import type { IClock } from '../ports/clock.ts'
import type { Job } from '../ports/job-queue.ts'
import type { Graph } from './graph.ts'
import { Slots } from './slots.ts'
import { Urgency } from './urgency.ts'
import { WorkInHand, type WorkInHandOptions } from './work-in-hand.ts'

/** Nothing here looks into it. */
const graph = {} as Graph
const head = { runId: 'r', flowId: 'f', priority: 0 } as Parameters<WorkInHand['take']>[1]

/** A clock with one timer, that rings when told. */
class Bell implements IClock {
  #ring: (() => void) | undefined

  now(): number {
    return 0
  }

  after(_delayMs: number, callback: () => void): () => void {
    this.#ring = callback
    return () => {
      this.#ring = undefined
    }
  }

  get isArmed(): boolean {
    return this.#ring !== undefined
  }

  ring(): void {
    const ring = this.#ring
    this.#ring = undefined
    ring?.()
  }
}

function setup({ places = 2, ...changes }: { places?: number } & Partial<WorkInHandOptions> = {}) {
  const sent: string[] = []
  const begun: string[] = []
  const releases: (() => void)[] = []
  const clock = new Bell()
  const stopping = new AbortController()
  const inHand = new WorkInHand({
    queue: {
      enqueue: (jobs: readonly Job[]) => void sent.push(...jobs.map(({ instanceId }) => instanceId)),
      consume: async () => {},
      close: () => {},
    },
    slots: new Slots(places, stopping.signal),
    clock,
    urgency: new Urgency(clock),
    isStopping: () => stopping.signal.aborted,
    begin(_graph, { instanceId }, release) {
      begun.push(instanceId)
      releases.push(release)
    },
    onUnsent: () => {},
    ...changes,
  })
  /** The one that has run for longest is over. */
  const end = async () => {
    releases.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { inHand, sent, begun, end, clock, stopping }
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `b${index}`)
}

describe('What a commit made ready', () => {
  it('begins in free places, and then in those that become free, without a job', async () => {
    const { inHand, sent, begun, end, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(4))
    expect(begun).toEqual(['b0', 'b1'])

    await end()
    await end()

    expect(begun).toEqual(ids(4))
    clock.ring()
    expect(sent).toEqual([])
    expect(clock.isArmed).toBe(false)
  })

  it('goes to the queue where nothing begins any more', async () => {
    const { inHand, sent, begun, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(50))

    clock.ring()
    expect(sent).toEqual(ids(50).slice(2 + 2 * 10))
    clock.ring()
    expect(sent).toHaveLength(50 - 2 - 1 * 10)
    clock.ring()

    expect(begun).toEqual(['b0', 'b1'])
    expect([...sent].sort()).toEqual(ids(50).slice(2).sort())
    expect(clock.isArmed).toBe(false)
  })

  it('stays as long as it is worked off', async () => {
    const { inHand, sent, begun, end, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(12))
    for (let rounds = 0; rounds < 5; rounds++) {
      clock.ring()
      await end()
      await end()
    }
    expect(begun).toEqual(ids(12))
    expect(sent).toEqual([])
  })

  it('stays where its process was slow for a tick, at the pace of the one before', async () => {
    const { inHand, sent, end, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(20))
    for (let ends = 0; ends < 8; ends++) await end()
    clock.ring()
    expect(sent).toEqual([])

    clock.ring()

    expect(sent).toEqual([])
  })

  it('stays for a tick in which a first place became free: its pace shows in the next', async () => {
    const { inHand, sent, begun, end, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(50))
    await end()
    clock.ring()
    expect(sent).toEqual([])

    await end()
    await end()
    clock.ring()

    expect(begun).toEqual(ids(5))
    expect(sent).toEqual(ids(50).slice(5 + 2 * 10))
  })

  it('stays while more of it comes, for two ticks: whoever starts much has no time to begin it', async () => {
    const { inHand, sent, begun, clock } = setup({ places: 2 })
    await inHand.take(graph, head, ids(20))
    for (let tick = 0; tick < 2; tick++) {
      await inHand.take(graph, head, ids(20))
      clock.ring()
      expect(sent).toEqual([])
    }
    await inHand.take(graph, head, ids(20))

    clock.ring()

    expect(begun).toHaveLength(2)
    expect(sent.length).toBeGreaterThan(0)
  })

  it('does not count what was begun long before', async () => {
    const { inHand, sent, end, clock } = setup({ places: 2 })
    for (let starts = 0; starts < 100; starts++) {
      await inHand.take(graph, head, ['before'])
      await end()
    }

    await inHand.take(graph, head, ids(50))
    clock.ring()

    expect(sent).toEqual(ids(50).slice(2 + 2 * 10))
  })

  it('goes to the queue at once where more urgent work has come, or the graph is another', async () => {
    const urgent = { outranks: () => true } as unknown as Urgency
    const { inHand, sent, begun } = setup({ urgency: urgent })
    await inHand.take(graph, head, ['b0'])
    const other = setup()
    await other.inHand.take(undefined, head, ['b1'])

    expect([sent, begun, other.sent, other.begun]).toEqual([['b0'], [], ['b1'], []])
  })

  it('goes to the queue when the worker stops, what comes then too', async () => {
    const { inHand, sent, begun, clock, stopping } = setup({ places: 1 })
    await inHand.take(graph, head, ids(3))

    stopping.abort()
    await inHand.giveAway()
    await inHand.take(graph, head, ['late'])

    expect(begun).toEqual(['b0'])
    expect(sent).toEqual(['b1', 'b2', 'late'])
    expect(clock.isArmed).toBe(false)
  })

  it('is left to the sweep where the queue does not take it', async () => {
    const unsent: string[] = []
    const { inHand } = setup({
      queue: {
        enqueue: () => Promise.reject(new Error('down')),
        consume: async () => {},
        close: () => {},
      },
      onUnsent: (jobs) => void unsent.push(...jobs.map(({ instanceId }) => instanceId)),
    })
    await inHand.take(undefined, head, ids(2))
    expect(unsent).toEqual(ids(2))
  })
})
