import { expect, it } from 'vitest'
import { countedWork, graph, ladder } from '../../test/graphs.ts'
import { createFlow } from '../flow/create-flow.ts'
import { toMermaid } from './to-mermaid.ts'

// That Mermaid itself reads it, whatever the ids: packages/proof/test/mermaid.test.ts.

it('draws nodes, joins, maps, waits, conditions and fallbacks', () => {
  const flow = createFlow('x')
    .node('assess', () => ({ action: 'large' }))
    .approval('ask')
    .map('each', () => {}, { concurrency: 4, retry: { attempts: 3 } })
    .sleep('rest', 90_000)
    .waitForSignal('paid', { signal: 'bank' })
    .node('pay', () => {}, { joinStrategy: 'any', anyFailure: 'ignore', fallback: 'spare', timeoutMs: 2_000 })
    .node('spare', () => {})
    .node('end', () => {})
    .edge('assess', 'ask', { action: 'large' })
    .edge('assess', 'each', { condition: () => true, transform: (output) => output })
    .edge('ask', 'pay', { condition: 'sure', transform: 'short' })
    .edge('each', 'pay')
    .edge('rest', 'paid')
    .edge('pay', 'end')

  expect(toMermaid(flow.toBlueprint())).toBe(`flowchart TD
  n0["assess"]
  n1(["ask<br/>asks people"])
  n2[["each<br/>for each item, 4 at a time<br/>3 attempts"]]
  n3(["rest<br/>waits 90 s"])
  n4(["paid<br/>waits for the signal bank"])
  n5{{"pay<br/>after any, whoever fails<br/>at most 2 s"}}
  n6("spare")
  n7["end"]
  n0 -->|"large"| n1
  n0 -->|"if its condition holds, transformed"| n2
  n1 -->|"if sure, by short"| n5
  n2 --> n5
  n3 --> n4
  n5 --> n7
  n5 -.->|"if it fails"| n6
  n6 -.-> n7
`)
})

it('draws child runs, and loops with their bounds', () => {
  const flow = createFlow('x')
    .child('bill', 'billing', { version: '2' })
    .child('tell', 'news', { wait: false })
    .edge('bill', 'tell')
    .edge('tell', 'bill', { condition: () => true, loop: { maxVisits: 5 } })

  expect(toMermaid(flow.toBlueprint())).toBe(`flowchart TD
  n0(["bill<br/>runs billing#64;2"])
  n1(["tell<br/>starts news and goes on"])
  n0 --> n1
  n1 -->|"if its condition holds, at most 5 visits"| n0
`)
})

it('draws a cycle too, so that one can see it', () => {
  expect(toMermaid(graph('a>b b>a'))).toBe('flowchart TD\n  n0["a"]\n  n1["b"]\n  n0 --> n1\n  n1 --> n0\n')
})

it.each([
  ['"]; click n0 "x"', '#34;#93;#59;#32;click n0#32;#34;x#34;'],
  ['%%{init}%%', '#37;#37;#123;init#125;#37;#37;'],
  ['_a_b_', '#95;a_b#95;'],
  ['www.example.com', 'www#46;example#46;com'],
  ['größe-2', 'größe-2'],
  ['a🎉b', 'a#127881;b'],
])('leaves nothing in %s that Mermaid could take for something else', (action, label) => {
  const [start, ...edges] = [...graph('a>b').edges]
  const blueprint = { ...graph('a>b'), edges: [{ ...start, source: 'a', target: 'b', action }, ...edges] }

  expect(toMermaid(blueprint)).toContain(`n0 -->|"${label}"| n1`)
})

it('does ten times the work for ten times the graph', { timeout: 120_000 }, () => {
  const work = (nodes: number) => countedWork(() => toMermaid(ladder(nodes)))

  expect(work(10_000)).toBeLessThan(10.5 * work(1_000))
})
