import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Command } from '../machine/command.ts'
import { asWritten } from '../model/copy.ts'
import { parseRunId } from '../model/ids.ts'
import { commandOf, lineOf, placesOf } from './line-form.ts'

const runId = parseRunId('r')

const arrival = { to: 'n2', edge: 'n1->n2', from: 'n1', fate: 'succeeded', rule: 'all', of: 1 }
const transition = {
  runId: 'r',
  instanceId: 'n1',
  fence: 1,
  commitId: 'c',
  outcome: { type: 'succeeded', arrivals: [arrival], output: 1 },
  next: { workerId: 'w', leaseMs: 30_000, candidates: [{ nodeId: 'n2', timeoutMs: 300_000, input: true }] },
}
const request = { runId: 'r', instanceId: 'n1', claimId: 'c', workerId: 'w', leaseMs: 30_000 }

function commit(changes: object): Command {
  return { type: 'commit', transition: { ...transition, ...changes } } as unknown as Command
}

/** What others read. */
function readBack(command: Command): unknown {
  return commandOf(JSON.parse(lineOf(command)), runId)
}

/** What is applied here, without reading it. */
function kept(command: Command): unknown {
  const places = placesOf(command)
  return places === undefined ? asWritten(command) : commandOf(asWritten(places), runId)
}

describe('A command in the log', () => {
  it('is a third as long as its JSON, where its node does next to nothing', () => {
    const json = JSON.stringify(commit({}))
    expect(lineOf(commit({})).length).toBeLessThan(json.length / 3)
  })

  it('shares nothing with what it was made from', () => {
    const output = { list: [1] }
    const command = kept(commit({ outcome: { type: 'succeeded', arrivals: [], output } }))
    output.list.push(2)
    expect(command).toMatchObject({ transition: { outcome: { output: { list: [1] } } } })
  })

  it('stops whoever does not know its form', () => {
    expect(() => commandOf([7, 'n1'], runId)).toThrow('no command has the form 7')
  })

  it.each([
    ['no next', commit({ next: undefined })],
    ['an output of null', commit({ outcome: { type: 'succeeded', arrivals: [], output: null } })],
    ['no output', commit({ outcome: { type: 'succeeded', arrivals: [arrival] } })],
    ['a name for its output', commit({ outcome: { type: 'succeeded', arrivals: [], resultOf: 'n1', output: [0] } })],
    ['an output that looks like a line', commit({ outcome: { type: 'succeeded', arrivals: [], output: [0, 1] } })],
    ['deltas', commit({ outcome: { type: 'succeeded', arrivals: [], deltas: [{ key: 'k' }] } })],
    ['a failure', commit({ outcome: { type: 'failed', arrivals: [], error: { name: 'E', message: 'm' } } })],
    ['an action that is not there', commit({ outcome: { type: 'succeeded', arrivals: [], action: undefined } })],
    ['what nobody knows yet', commit({ later: 1 })],
    ['an arrival with more to it', commit({ outcome: { type: 'succeeded', arrivals: [{ ...arrival, later: 1 }] } })],
    ['a lease for ever', commit({ next: { ...transition.next, leaseMs: Number.POSITIVE_INFINITY } })],
    ['a claim', { type: 'claim', request }],
    ['a claim with needs', { type: 'claim', request: { ...request, reads: ['k'], timeoutMs: 5 } }],
    ['a claim that needs no input', { type: 'claim', request: { ...request, input: false } }],
    ['a timeout of nothing', { type: 'claim', request: { ...request, timeoutMs: 0, input: true } }],
    ['a renewal', { type: 'renew', request: { runId: 'r', leaseMs: 1, claims: [] } }],
  ])('is read as it was written: %s', (_, command) => {
    const written = command as Command
    const wanted = JSON.parse(JSON.stringify(written))
    expect(readBack(written)).toEqual(wanted)
    expect(kept(written)).toEqual(wanted)
  })

  it('is read as it was written, whatever is in it', () => {
    const text = fc.string({ maxLength: 4 })
    const maybe = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined })
    const anyArrival = fc.record({
      to: text,
      edge: text,
      from: fc.constantFrom('n1', 'n9'),
      fate: fc.constantFrom('succeeded', 'failed', 'skipped'),
      rule: fc.constantFrom('all', 'any'),
      of: fc.integer({ min: 1, max: 3 }),
    })
    const needs = { timeoutMs: maybe(fc.nat(3)), reads: maybe(fc.array(text)), input: maybe(fc.boolean()) }
    const outcome = fc.record({
      type: fc.constantFrom('succeeded', 'skipped'),
      arrivals: fc.array(anyArrival),
      output: maybe(fc.jsonValue()),
      resultOf: maybe(text),
      action: maybe(text),
    })
    const candidate = fc.record({ nodeId: text, ...needs })
    const next = fc.record({ workerId: text, leaseMs: fc.nat(), candidates: fc.array(candidate) })
    const anyCommit = fc
      .record({ outcome, next: maybe(next) })
      .map(({ outcome, next }) => commit({ outcome: defined(outcome), next: next && withDefined(next) }))
    const anyClaim = fc.record(needs).map((of) => ({ type: 'claim', request: { ...request, ...defined(of) } }))
    fc.assert(
      fc.property(fc.oneof(anyCommit, anyClaim), (command) => {
        const written = command as Command
        const wanted = JSON.parse(JSON.stringify(written))
        expect(readBack(written)).toEqual(wanted)
        expect(kept(written)).toEqual(wanted)
      }),
    )
  })
})

function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function withDefined(next: { readonly candidates: readonly object[] }): object {
  return { ...next, candidates: next.candidates.map(defined) }
}
