import { type Blueprint, versionOf } from '../model/blueprint.ts'
import { edgeLabel } from './edge-label.ts'
import { type ViewedEdge, type ViewedNode, viewGraph } from './graph-view.ts'
import { Lanes } from './lanes.ts'
import { nodeFacts } from './node-facts.ts'
import { visible, wrap } from './text-columns.ts'

const COLUMNS = 80
const MOST_NAMED = 8

/** A line of the drawing: what stands left of its text, and left of the text's further lines. */
interface Row {
  readonly layer: string
  readonly lines: string
  readonly below: string
  readonly text: string
}

/**
 * The graph as text for a terminal of 80 columns: a node per line, lines that lead from node to node, and in words what
 * is special about each. Where no line goes on, the node is a ring. Nodes of one layer, by the number on the left, can run at the same time. Looks and does not
 * check, like `analyzeBlueprint`.
 */
export function drawFlow(blueprint: Blueprint): string {
  const { nodes, layers } = viewGraph(blueprint)
  const drawing = new Drawing(blueprint)
  layers.forEach((layer, index) => {
    drawing.addLayer(layer, String(index + 1))
  })
  const version = versionOf(blueprint)
  const widest = layers.reduce((most, layer) => Math.max(most, layer.length), 0)
  const counts = [
    counted(nodes.length, 'node'),
    counted(blueprint.edges.length, 'edge'),
    counted(layers.length, 'layer'),
    `at most ${widest} side by side`,
  ]
  const head = wrap(`${blueprint.id}${version === undefined ? '' : `@${version}`}: ${counts.join(', ')}`, COLUMNS)
  return `${[...head, '', ...drawing.toLines(String(layers.length).length)].join('\n')}\n`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

class Drawing {
  readonly #blueprint: Blueprint
  readonly #lanes = new Lanes()
  readonly #rows: Row[] = []
  /** For nodes that no line leads to from some predecessor: who those are. */
  readonly #unseen = new Map<ViewedNode, ViewedNode[]>()

  constructor(blueprint: Blueprint) {
    this.#blueprint = blueprint
  }

  addLayer(layer: readonly ViewedNode[], number: string): void {
    // Those at the end of a line first: their places are free then.
    const inOrder = [
      ...layer.filter((node) => this.#lanes.has(node)),
      ...layer.filter((node) => !this.#lanes.has(node)),
    ]
    inOrder.forEach((node, index) => {
      this.#addNode(node, index === 0 ? number : '')
    })
  }

  /** Layer numbers, lines and texts side by side, each beginning in one column. */
  toLines(layerColumns: number): string[] {
    const linesColumns = this.#rows.reduce((most, { lines, below }) => Math.max(most, lines.length, below.length), 0)
    const before = layerColumns + 1 + linesColumns + 2
    return this.#rows.flatMap(({ layer, lines, below, text }) =>
      wrap(visible(text), COLUMNS - before).map((part, index) => {
        const left = index === 0 ? layer.padStart(layerColumns) : ' '.repeat(layerColumns)
        return `${left} ${(index === 0 ? lines : below).padEnd(linesColumns)}  ${part}`.trimEnd()
      }),
    )
  }

  #addNode(node: ViewedNode, layer: string): void {
    const lanes = this.#lanes
    const place = lanes.arrive(node)
    const marked = (mark: string) => lanes.row({ place, mark })
    const [going, line] = [marked('●'), marked('│')]
    const ahead = node.outgoing.filter(({ leadsBack }) => !leadsBack)
    const targets = [...new Set(ahead.map(({ target }) => target))]
    const { turns, left } = lanes.lead(place, targets)
    for (const target of left) this.#noteUnseen(target, node)

    const below = lanes.row()
    const lines = left.length === targets.length ? going.replace('●', '○') : going
    // Where turns follow, the node's own line still goes on below its text.
    this.#rows.push({ layer, lines, below: turns === undefined ? below : line, text: this.#nodeText(node) })
    const texts = this.#edgeTexts(node, left)
    // The turns come first: what is said about an edge stands where it begins.
    if (turns !== undefined) this.#rows.push({ layer: '', lines: turns, below, text: texts.shift() ?? '' })
    for (const text of texts) this.#rows.push({ layer: '', lines: below, below, text })
  }

  #noteUnseen(target: ViewedNode, source: ViewedNode): void {
    const sources = this.#unseen.get(target)
    if (sources === undefined) this.#unseen.set(target, [source])
    else sources.push(source)
  }

  #nodeText(node: ViewedNode): string {
    const unseen = this.#unseen.get(node) ?? []
    const facts = [...(unseen.length === 0 ? [] : [`from ${named(unseen)}`]), ...nodeFacts(node)]
    return facts.length === 0 ? node.id : `${node.id}  (${facts.join('; ')})`
  }

  #edgeTexts({ outgoing, fallback }: ViewedNode, left: readonly ViewedNode[]): string[] {
    const texts = outgoing.flatMap((each) => this.#edgeText(each))
    if (fallback !== undefined) {
      const facts = nodeFacts(fallback)
      texts.push(`if it fails: ${fallback.id}${facts.length === 0 ? '' : `  (${facts.join('; ')})`}`)
    }
    if (left.length > 0) texts.push(`on to ${named(left)}, further down`)
    return texts
  }

  #edgeText({ edge, target, leadsBack }: ViewedEdge): string[] {
    const label = edgeLabel(edge, this.#blueprint)
    if (leadsBack) return [`${label === '' ? '' : `${label} → `}back to ${target.id}`]
    return label === '' ? [] : [`${label} → ${target.id}`]
  }
}

function named(nodes: readonly ViewedNode[]): string {
  const names = nodes.slice(0, MOST_NAMED).map(({ id }) => id)
  if (nodes.length > MOST_NAMED) names.push(`${nodes.length - MOST_NAMED} more`)
  const last = names.pop() ?? ''
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`
}
