/**
 * The work itself, without a word of Baton: finding Markdown files, taking one apart, and adding up. The flow calls it
 * node by node, on any number of workers; the recount calls it in one loop.
 */
import { constants } from 'node:fs'
import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { marked, type Token } from 'marked'

/** What is known about one file. A file that cannot be read is a finding too: one of them must not stop the rest. */
export interface FileFacts {
  /** Below the folder, with forward slashes. */
  readonly file: string
  readonly words: number
  readonly headings: readonly Heading[]
  readonly links: { readonly relative: number; readonly elsewhere: number }
  /** Targets of relative links that lead to nothing. */
  readonly broken: readonly string[]
  readonly unreadable?: string
}

export interface Heading {
  readonly depth: number
  readonly text: string
}

const LEFT_OUT = new Set(['node_modules', 'dist'])

/** Every Markdown file below the folder but one, in one order on every machine. */
export async function listMarkdown(folder: string, leaveOut?: string): Promise<string[]> {
  const found: string[] = []
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) {
        if (!LEFT_OUT.has(entry.name) && !entry.name.startsWith('.')) await visit(path)
      } else if (entry.isFile() && /\.(md|markdown)$/i.test(entry.name) && join(folder, path) !== leaveOut) {
        found.push(path)
      }
    }
  }
  await visit('')
  return found.sort()
}

export async function analyseFile(folder: string, file: string): Promise<FileFacts> {
  let text: string
  try {
    text = await readFile(join(folder, file), 'utf8')
  } catch (error) {
    const unreadable = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { file, words: 0, headings: [], links: { relative: 0, elsewhere: 0 }, broken: [], unreadable }
  }
  const { words, headings, targets } = takeApart(text)
  const relative = targets.filter(isRelative)
  const broken: string[] = []
  for (const target of new Set(relative)) if (!(await leadsSomewhere(folder, file, target))) broken.push(target)
  return {
    file,
    words,
    headings,
    links: { relative: relative.length, elsewhere: targets.length - relative.length },
    broken,
  }
}

/** What a Markdown text holds: its words, its headings, and where its links and images lead. */
export function takeApart(text: string): { words: number; headings: Heading[]; targets: string[] } {
  const headings: Heading[] = []
  const targets: string[] = []
  let words = 0
  // It gives promises only where the callback does.
  void marked.walkTokens(marked.lexer(withoutMark(text)), (token) => {
    if (token.type === 'heading') headings.push({ depth: token.depth, text: token.text })
    if (token.type === 'link' || token.type === 'image') targets.push(token.href)
    words += wordsOf(token)
  })
  return { words, headings, targets }
}

/** Some editors begin a file with a byte order mark, which is no part of its text and would hide a heading after it. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

/** Only tokens with nothing inside them count, or a word would count once per level of nesting. */
function wordsOf(token: Token): number {
  const isLeaf = (token.type === 'text' || token.type === 'codespan' || token.type === 'code') && !hasInside(token)
  return isLeaf ? (token.text.match(/\S+/g)?.length ?? 0) : 0
}

function hasInside(token: Token): boolean {
  return 'tokens' in token && Array.isArray(token.tokens) && token.tokens.length > 0
}

/** Neither `https:` and its kind, nor `//host`, nor a place in the same file. */
function isRelative(target: string): boolean {
  return target !== '' && !/^([a-z][a-z0-9+.-]*:|\/\/|#)/i.test(target)
}

/** Whether there is such a file or folder. What follows `#` or `?` is not looked at; a leading `/` is the folder. */
async function leadsSomewhere(folder: string, file: string, target: string): Promise<boolean> {
  const path = decoded(target.replace(/[?#].*$/s, ''))
  const from = path.startsWith('/') ? folder : dirname(join(folder, file))
  try {
    await access(resolve(from, path.replace(/^\/+/, '')), constants.F_OK)
    return true
  } catch {
    return false
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
