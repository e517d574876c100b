/**
 * Keeps the documentation true: every `ts` block type-checks against the sources, every relative link leads somewhere,
 * and nothing is left to be written.
 *
 * A block that cannot be checked says why, on its opening line: ```` ```ts no-check <reason> ````.
 *
 * Part of `npm run check`; alone: `npx tsx scripts/check-docs.ts`.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { houseRoot, listFiles } from './house.ts'
import { type Markdown, readMarkdown } from './markdown.ts'
import { type Snippet, typeCheck } from './type-check.ts'

/** A place in the documentation that is not true. */
export interface Flaw {
  readonly where: string
  readonly what: string
}

export function checkDocs(root: string): Flaw[] {
  const pages = new Map(listFiles(root, '.', ['.md']).map((path) => [path, readMarkdown(read(root, path))]))
  const docs = [...pages].filter(([path]) => isDocumentation(path))
  return [
    ...docs.flatMap(([path, page]) => leftToWrite(path, page)),
    ...docs.flatMap(([path, page]) => withoutReason(path, page)),
    ...[...pages].flatMap(([path, page]) => deadLinks(root, path, page, pages)),
    ...wrongTypes(root, docs),
  ]
}

/** What we write for readers. Changelogs and the like are Markdown too, but written by tools. */
function isDocumentation(path: string): boolean {
  return /^(docs\/.*|README|CONTRIBUTING|SECURITY|(packages|apps|examples)\/[^/]+\/README)\.md$/.test(path)
}

const typescript = new Set(['ts', 'tsx', 'typescript'])

function withoutReason(path: string, page: Markdown): Flaw[] {
  return page.fences
    .filter(({ language, info }) => typescript.has(language) && info === 'no-check')
    .map(({ line }) => ({ where: `${path}:${line - 1}`, what: '`no-check` needs a reason after it' }))
}

function leftToWrite(path: string, page: Markdown): Flaw[] {
  return page.prose.flatMap((line, index) => {
    const marker = /\b(TODO|FIXME|TBD|XXX)\b/.exec(line)?.[0]
    return marker === undefined ? [] : [{ where: `${path}:${index + 1}`, what: `${marker}: write it, or leave it out` }]
  })
}

function deadLinks(root: string, path: string, page: Markdown, pages: ReadonlyMap<string, Markdown>): Flaw[] {
  return page.links.flatMap(({ target, line }) => {
    if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return []
    const flaw = (what: string): Flaw[] => [{ where: `${path}:${line}`, what: `${target}: ${what}` }]
    if (target.startsWith('/')) return flaw('say it relative to the page, so that it works everywhere')

    const [file = '', anchor] = decodeURI(target).split('#')
    const goal = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(root, goal))) return flaw('there is no such file')
    if (anchor === undefined || statSync(join(root, goal)).isDirectory()) return []
    const anchors = pages.get(goal)?.anchors
    return anchors === undefined || anchors.has(anchor) ? [] : flaw('that page has no such heading')
  })
}

function wrongTypes(root: string, docs: readonly (readonly [string, Markdown])[]): Flaw[] {
  const places = new Map<Snippet, { path: string; line: number }>()
  for (const [path, page] of docs) {
    for (const { language, info, code, line } of page.fences) {
      if (!typescript.has(language) || info.startsWith('no-check')) continue
      const extension = language === 'tsx' ? 'tsx' : 'ts'
      places.set({ path: join(root, `${path}.${line}.${extension}`), code }, { path, line })
    }
  }
  return typeCheck(root, [...places.keys()]).flatMap(({ snippet, line, message }) => {
    const place = places.get(snippet)
    return place ? [{ where: `${place.path}:${place.line + line - 1}`, what: message }] : []
  })
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

if (process.argv[1] === import.meta.filename) {
  const flaws = checkDocs(houseRoot)
  for (const { where, what } of flaws) console.error(`${where}  ${what}`)
  if (flaws.length > 0) process.exitCode = 1
  else console.log('Every ts block type-checks, every link leads somewhere, nothing is left to write.')
}
