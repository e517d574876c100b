/** A fenced block of a Markdown text: ```` ```ts no-check because … ````. */
export interface Fence {
  readonly language: string
  /** What follows the language on the opening line. */
  readonly info: string
  readonly code: string
  /** The line of the first line of code, counted from 1. */
  readonly line: number
}

/** Something a text points to. */
export interface Link {
  readonly target: string
  readonly line: number
}

/** What the checks look for in a Markdown text. */
export interface Markdown {
  readonly fences: readonly Fence[]
  readonly links: readonly Link[]
  /** The names by which a link can point to a heading: `#the-main-job`. */
  readonly anchors: ReadonlySet<string>
  /** The lines that are neither code nor a fence; empty where they were, so that numbers stay true. */
  readonly prose: readonly string[]
}

export function readMarkdown(text: string): Markdown {
  const fences: Fence[] = []
  const prose: string[] = []
  let open: { mark: string; indent: number; language: string; info: string; line: number; code: string[] } | undefined

  for (const [index, line] of text.split('\n').entries()) {
    if (open !== undefined) {
      prose.push('')
      if (line.trimStart().startsWith(open.mark) && line.replaceAll(/[`~\s]/g, '') === '') {
        fences.push({ language: open.language, info: open.info, code: open.code.join('\n'), line: open.line })
        open = undefined
      } else {
        open.code.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)))
      }
      continue
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(line)
    if (fence) {
      const [, indent = '', mark = '', language = '', info = ''] = fence
      open = { mark, indent: indent.length, language, info: info.trim(), line: index + 2, code: [] }
    }
    prose.push(fence ? '' : line)
  }
  // A fence that nobody closed runs to the end, as it does on the page.
  if (open) fences.push({ language: open.language, info: open.info, code: open.code.join('\n'), line: open.line })

  return { fences, prose, links: prose.flatMap(linksOf), anchors: anchorsOf(prose) }
}

/** `[text](target)`, `[text]: target`, and images; not what stands in `code`. */
function linksOf(line: string, index: number): Link[] {
  const plain = line.replaceAll(/(`+).*?\1/g, (code) => ' '.repeat(code.length))
  const inline = plain.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)
  const defined = plain.matchAll(/^\s*\[[^\]]+\]:\s*<?([^\s>]+)>?/g)
  return [...inline, ...defined].map((match) => ({ target: match[1] ?? '', line: index + 1 }))
}

/** Headings are named as code hosts name them: lower case, without punctuation, and numbered when they repeat. */
function anchorsOf(prose: readonly string[]): Set<string> {
  const anchors = new Set<string>()
  for (const line of prose) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    const given = /<a (?:id|name)="([^"]+)"/.exec(line)?.[1]
    if (given !== undefined) anchors.add(given)
    if (heading === undefined) continue
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\p{Mark}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let name = slug
    for (let again = 1; anchors.has(name); again += 1) name = `${slug}-${again}`
    anchors.add(name)
  }
  return anchors
}
