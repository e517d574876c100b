/** What `toMermaid` writes, read by Mermaid itself: every id that a node may have, and every flow. */
import { type Blueprint, checkBlueprint, toMermaid } from '@baton/core'
import { randomFlow } from '@baton/testing'
import fc from 'fast-check'
import { JSDOM } from 'jsdom'
import { beforeAll, expect, it } from 'vitest'

interface Drawn {
  readonly nodes: readonly string[]
  readonly edges: readonly (readonly [from: string, to: string, label: string])[]
}

/** The part of Mermaid that is used here; its own types know nothing of what a flowchart holds. */
interface Flowchart {
  getVertices(): ReadonlyMap<string, { readonly id: string; readonly text: string }>
  getEdges(): readonly { readonly start: string; readonly end: string; readonly text: string }[]
}

let read: (text: string) => Promise<Drawn>

beforeAll(async () => {
  // It cleans labels with the help of a document, whether it draws or not.
  const { window } = new JSDOM()
  Object.assign(globalThis, { window, document: window.document })
  const { default: mermaid } = await import('mermaid')
  read = async (text) => {
    // The whole way first, directives and all; it throws where it does not understand.
    await mermaid.parse(text)
    const db = (await mermaid.mermaidAPI.getDiagramFromText(text)).db as unknown as Flowchart
    const labels = new Map([...db.getVertices().values()].map(({ id, text: label }) => [id, decoded(label)]))
    return {
      nodes: [...labels.values()],
      edges: db.getEdges().map(({ start, end, text: label }) => [labels.get(start), labels.get(end), decoded(label)]),
    } as Drawn
  }
})

/** Mermaid keeps `#35;` as `ﬂ°°35¶ß` until it draws. */
function decoded(label: string): string {
  return label.replaceAll('<br>', '\n').replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)))
}

const awkward = [
  'end',
  'graph',
  'a"b',
  '"];',
  '%%{init:{}}%%',
  '%%',
  '#quot;',
  '&lt;',
  '<b>x</b>',
  '`code`',
  '**x**',
  '1.',
  '-',
  'style:x#1;',
  'classDef:#;',
  'www.example.com',
  'http:x.y',
  '-->',
  '|x|',
  '{{x}}',
  '(((',
  'ﬂ°°35¶ß',
  'größe',
  '漢字',
  '🎉',
  'e\u0301',
  '\u202ertl',
  '---',
  '@{shape:x}',
]

/** Anything that a node may be called. */
const ids = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...'"#;:%{}<>&`|()-_=.@~*\\\'!?$^,+ abcEND019'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 20,
  })
  .filter(
    (id) => /^[^#[\]/\s\p{Cc}\p{Cs}]+$/u.test(id) && !['.', '..', '__proto__', 'constructor', 'prototype'].includes(id),
  )

function pair(source: string, target: string, action?: string): Blueprint {
  return checkBlueprint({
    id: 'x',
    nodes: [
      { id: source, uses: 'f' },
      { id: target, uses: 'f', config: { map: {} } },
    ],
    edges: [{ source, target, ...(action === undefined ? {} : { action }) }],
  })
}

it.each(awkward.filter((id) => !/[#[\]/]/.test(id)))('reads a node that is called %s as what it is', async (id) => {
  const drawn = await read(toMermaid(pair(id, 'other', 'x')))

  expect(drawn.nodes[0]).toBe(id)
  expect(drawn.edges).toEqual([[id, expect.stringMatching(/^other/), 'x']])
})

it.each(awkward)('reads an edge with the action %s as what it is', async (action) => {
  const drawn = await read(toMermaid(pair('a', 'b', action)))

  expect(drawn.edges).toEqual([['a', expect.stringMatching(/^b/), action]])
})

it('reads any id and any action as what they are', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(ids, ids, async (id, action) => {
      const drawn = await read(toMermaid(pair(id, `${id}2`, action)))

      expect(drawn.nodes).toEqual([id, `${id}2\nfor each item, 16 at a time`])
      expect(drawn.edges).toEqual([[drawn.nodes[0], drawn.nodes[1], action]])
    }),
    { numRuns: 100 },
  )
})

it('reads random flows with all their nodes and edges', { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const blueprint = randomFlow(seed, { maxNodes: 30 }).flow.toBlueprint()
    const drawn = await read(toMermaid(blueprint))

    expect(drawn.nodes.map((label) => label.split('\n')[0])).toEqual(blueprint.nodes.map(({ id }) => id))
    const pairs = new Set(drawn.edges.map(([from, to]) => `${from.split('\n')[0]} ${to.split('\n')[0]}`))
    for (const { source, target } of blueprint.edges) expect(pairs).toContain(`${source} ${target}`)
    for (const { id, config } of blueprint.nodes) {
      if (config?.fallback !== undefined) expect(pairs).toContain(`${id} ${config.fallback}`)
    }
  }
})
