/**
 * Loops of any shape, with branches that overtake each other: no visit begins before everything in the one before has
 * settled, every run comes to an end, and what leads out of a loop arrives.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { NodeArguments } from '../engine/node-function.ts'
import { createFlow, type Flow } from '../flow/create-flow.ts'
import { BatonError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { nodeOfInstance, visitsOf } from '../model/ids.ts'
import { findLoops } from '../model/loops.ts'
import { FlowRuntime } from './flow-runtime.ts'

interface Design {
  readonly nodes: readonly { readonly from: readonly number[]; readonly join: number; readonly fallback: boolean }[]
  readonly backs: readonly (readonly [source: number, target: number, bound: number])[]
  readonly chance: readonly number[]
  readonly failFast: boolean
}

const designs: fc.Arbitrary<Design> = fc.record({
  nodes: fc.array(
    fc.record({
      from: fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 3 }),
      join: fc.nat(5),
      fallback: fc.nat(9).map((n) => n === 0),
    }),
    { minLength: 2, maxLength: 8 },
  ),
  backs: fc.array(fc.tuple(fc.nat(99), fc.nat(99), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 6 }),
  chance: fc.array(fc.nat(99), { minLength: 30, maxLength: 30 }),
  failFast: fc.boolean(),
})

const JOINS = [
  {},
  {},
  {},
  { joinStrategy: 'any' },
  { joinStrategy: 'any', anyFailure: 'ignore' },
  { joinStrategy: 'any', anyFailure: 'ignore', cancelLosers: true },
] as const

function toFlow({ nodes, backs, chance, failFast }: Design): Flow {
  let calls = 0
  const throwDice = () => chance[calls++ % chance.length] ?? 0
  const code = async ({ nodeId }: NodeArguments) => {
    const dice = throwDice()
    for (let turns = dice % 7; turns > 0; turns--) await undefined
    if (dice < 6) throw new Error(`${nodeId} fails`)
    return { output: dice, action: dice % 3 === 0 ? 'left' : 'right' }
  }
  let flow: Flow = createFlow('design', { failFast })
  nodes.forEach(({ join, fallback }, index) => {
    const stand = fallback ? { fallback: `f${index}` } : {}
    flow = flow.node(`n${index}`, code, { uses: 'code', ...JOINS[join], ...stand })
    if (fallback) flow = flow.node(`f${index}`, code, { uses: 'code' })
  })
  nodes.forEach(({ from }, index) => {
    const sources = index === 0 ? [] : [...new Set(from.map((number) => number % index))]
    for (const source of sources) {
      flow = flow.edge(`n${source}`, `n${index}`, throwDice() < 25 ? { action: 'left' } : {})
    }
  })
  for (const [source, target, maxVisits] of backs) flow = withBack(flow, source % nodes.length, target, maxVisits)
  return flow
}

/** Most ways back make no loop: then the flow stays as it is. */
function withBack(flow: Flow, source: number, number: number, maxVisits: number): Flow {
  const target = number % (source + 1)
  try {
    const id = `n${source}~>n${target}`
    const looped = flow.edge(`n${source}`, `n${target}`, { id, action: 'left', loop: { maxVisits } })
    looped.toBlueprint()
    return looped
  } catch (error) {
    if (BatonError.is(error, 'INVALID_BLUEPRINT')) return flow
    throw error
  }
}

const FATE = /^node-(succeeded|failed|skipped|cancelled)$/

/** Whenever something of a visit begins, nothing of the visit before is under way, but for what was called off. */
function checkOrder(flow: Flow, events: readonly RunEvent[]): void {
  const loops = findLoops(flow.toBlueprint())
  const places = new Map(
    flow
      .toBlueprint()
      .nodes.flatMap(({ id, config }): [string, string][] => [
        [id, id],
        ...(config?.fallback === undefined ? [] : [[config.fallback, id] as [string, string]]),
      ]),
  )
  const underWay = new Set<string>()
  const calledOff = new Set<string>()
  for (const event of events) {
    if (event.type === 'node-succeeded') for (const id of event.cancels ?? []) calledOff.add(id)
    if (FATE.test(event.type) && 'instanceId' in event) underWay.delete(event.instanceId ?? '')
    if (event.type !== 'node-claimed') continue
    underWay.add(event.instanceId)
    const begun = placeOf(event.instanceId)
    for (const other of underWay) {
      if (calledOff.has(other)) continue
      const running = placeOf(other)
      begun.chain.forEach(({ header }, depth) => {
        const isSameLoop = running.chain[depth]?.header === header
        const isSameVisit = begun.visits.slice(0, depth).every((visit, place) => running.visits[place] === visit)
        if (!isSameLoop || !isSameVisit) return
        expect(running.visits[depth], `${other} runs while ${event.instanceId} begins`).toBe(begun.visits[depth])
      })
    }
  }

  function placeOf(instanceId: string) {
    const nodeId = nodeOfInstance(instanceId)
    const chain = loops.get(places.get(nodeId) ?? nodeId) ?? []
    return { chain, visits: visitsOf(instanceId, chain.length) }
  }
}

it('no visit begins before the one before has settled, and all runs end', { timeout: 120_000 }, async () => {
  let visits = 0
  await fc.assert(
    fc.asyncProperty(designs, async (design) => {
      const flow = toFlow(design)
      const events: RunEvent[] = []

      const result = await new FlowRuntime().run(flow, 0, { onEvent: (event) => events.push(event) })

      expect(['completed', 'failed']).toContain(result.status)
      checkOrder(flow, events)
      visits += events.filter((event) => event.type === 'node-claimed' && event.instanceId.includes('#')).length
    }),
    { numRuns: 1_500 },
  )
  // Else the designs would prove little.
  expect(visits).toBeGreaterThan(1_500)
})
