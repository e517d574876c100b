import { describe, expect, it } from 'vitest'
import { createFlow, type Flow } from '../flow/create-flow.ts'
import { InMemoryCoordinationStore } from '../memory/coordination-store.ts'
import type { Graph } from './graph.ts'
import { Registry } from './registry.ts'
import { markVersions } from './version-marks.ts'

const DAY_MS = 24 * 3_600_000

function graphsOf(version: string | undefined, ...nodeIds: string[]): readonly Graph[] {
  const empty = createFlow('pay', version === undefined ? {} : { version }) as Flow
  return new Registry({ flows: [nodeIds.reduce((flow, id) => flow.node(id, () => undefined), empty)] }).graphs()
}

function place() {
  const clock = { nowMs: 0, now: () => clock.nowMs, after: () => () => {} }
  const coordinationStore = new InMemoryCoordinationStore({ clock })
  const told: string[] = []
  const logger = { log: (level: string, message: string) => void told.push(`${level}: ${message}`) }
  const start = (graphs: readonly Graph[]) => markVersions(graphs, { coordinationStore, logger, workerId: 'w' })
  return { clock, told, start }
}

describe('a worker that starts', () => {
  it('says nothing when others have the same content for a version, or another version, or none', async () => {
    const { start, told } = place()

    for (const graphs of [graphsOf('1', 'a'), graphsOf('1', 'a'), graphsOf('2', 'a', 'b'), graphsOf('1.0', 'b')]) {
      await start(graphs)
    }
    await start(graphsOf(undefined, 'a'))
    await start(graphsOf(undefined, 'b'))

    expect(told).toEqual([])
  })

  it('says loudly that others have another content, every time, and leaves their mark alone', async () => {
    const { start, told } = place()
    await start(graphsOf('1', 'a'))

    await start(graphsOf('1', 'a', 'b'))
    await start(graphsOf('1', 'a', 'b'))
    await start(graphsOf('1', 'a'))

    expect(told).toHaveLength(2)
    expect(told[0]).toMatch(/^error: pay@1 has another content in other workers/)
  })

  it('renews the mark, and forgets one that nobody has renewed for thirty days', async () => {
    const { start, told, clock } = place()
    await start(graphsOf('1', 'a'))
    clock.nowMs += 29 * DAY_MS
    await start(graphsOf('1', 'a'))
    clock.nowMs += 29 * DAY_MS
    await start(graphsOf('1', 'b'))
    expect(told).toHaveLength(1)

    clock.nowMs += 2 * DAY_MS
    await start(graphsOf('1', 'b'))

    expect(told).toHaveLength(1)
  })

  it('agrees with one that starts with the same content at the same time', async () => {
    const { start, told } = place()

    await Promise.all([start(graphsOf('1', 'a')), start(graphsOf('1', 'a')), start(graphsOf('1', 'a'))])

    expect(told).toEqual([])
  })
})
