import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shortened, unshortened } from '../../src/run-store/shorthand.ts'

const commit = JSON.stringify({
  type: 'commit',
  transition: {
    instanceId: 'n1',
    fence: 1,
    commitId: 'c',
    outcome: {
      type: 'succeeded',
      arrivals: [{ to: 'n2', edge: 'n1->n2', from: 'n1', fate: 'succeeded', rule: 'all', of: 1 }],
      output: 1,
    },
    next: { workerId: 'w', leaseMs: 30_000, candidates: [{ nodeId: 'n2', timeoutMs: 300_000 }] },
  },
})

describe('A command in the log', () => {
  it('is a third as long as its JSON, where its node does next to nothing', () => {
    expect(shortened(commit).length).toBeLessThan(commit.length / 3)
    expect(unshortened(shortened(commit))).toBe(commit)
  })

  it('comes back as it was, whatever is in it', () => {
    const pieces = [...commit.matchAll(/.{1,17}/gs), ['\u0001'], ['\u001f"\\'], ['\u2028']].map(([piece]) => piece)
    const text = fc.array(fc.oneof(fc.constantFrom(...pieces, commit), fc.string({ unit: 'binary' })))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          text.map((parts) => JSON.stringify({ value: parts.join('') })),
        ),
        (json) => {
          expect(unshortened(shortened(json))).toBe(json)
        },
      ),
    )
  })
})
