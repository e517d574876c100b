import type { Blueprint } from '../model/blueprint.ts'
import { APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL } from '../model/built-in-uses.ts'
import { edgeLabel } from './edge-label.ts'
import { type ViewedNode, viewGraph } from './graph-view.ts'
import { nodeFacts } from './node-facts.ts'

/**
 * The graph as a flowchart for Mermaid (https://mermaid.js.org), which GitHub and many editors show as a picture. Looks
 * and does not check, like `analyzeBlueprint`.
 *
 * Boxes are nodes; with a second line inside, maps; hexagons are joins of `any`; rounded ones wait for time, signals,
 * people or other runs. Dotted arrows are what a fallback takes over.
 */
export function toMermaid(blueprint: Blueprint): string {
  const { nodes } = viewGraph(blueprint)
  const names = new Map(nodes.map((node, index) => [node, `n${index}`]))
  const arrow = (from: ViewedNode, how: string, label: string, to: ViewedNode) =>
    `  ${names.get(from)} ${how}${label === '' ? '' : `|"${escaped(label)}"|`} ${names.get(to)}`
  const lines = ['flowchart TD']
  for (const node of nodes) {
    const [open, close] = shapeOf(node)
    const text = [node.id, ...nodeFacts(node)].map(escaped).join('<br/>')
    lines.push(`  ${names.get(node)}${open}"${text}"${close}`)
  }
  for (const node of nodes) {
    for (const { edge, target } of node.outgoing) lines.push(arrow(node, '-->', edgeLabel(edge, blueprint), target))
    const { fallback } = node
    if (fallback === undefined) continue
    lines.push(arrow(node, '-.->', 'if it fails', fallback))
    for (const { edge, target } of node.outgoing)
      lines.push(arrow(fallback, '-.->', edgeLabel(edge, blueprint), target))
  }
  return `${lines.join('\n')}\n`
}

const WAITS: ReadonlySet<string> = new Set([APPROVAL, CHILD, SLEEP, WAIT_FOR_SIGNAL])

function shapeOf({ node, isJoin, standsInFor }: ViewedNode): readonly [open: string, close: string] {
  if (node.config?.map !== undefined) return ['[[', ']]']
  if (WAITS.has(node.uses)) return ['([', '])']
  if (node.config?.joinStrategy === 'any' && isJoin) return ['{{', '}}']
  return standsInFor === undefined ? ['[', ']'] : ['(', ')']
}

/**
 * Letters and digits stay as they are, and so does what joins two of them; anything else is written as a code. Mermaid
 * reads quotes, `%%`, entities, HTML, Markdown and addresses also in a label in quotes, and none of them is left here.
 */
function escaped(text: string): string {
  return text.replace(/((?<=[\p{L}\p{N}])(?:, |[_ -])(?=[\p{L}\p{N}]))|[^\p{L}\p{N}]/gu, (found, joining?: string) =>
    joining === undefined ? `#${found.codePointAt(0)};` : joining,
  )
}
