/** Adds up what is known about all files, and writes it down for people. The same facts give the same text. */
import type { FileFacts } from './analyse.ts'

export interface Totals {
  readonly files: number
  readonly words: number
  readonly headings: number
  readonly links: number
  readonly relativeLinks: number
  readonly brokenLinks: number
  readonly unreadable: number
}

export function totalsOf(all: readonly FileFacts[]): Totals {
  const sum = (count: (facts: FileFacts) => number) => all.reduce((total, facts) => total + count(facts), 0)
  return {
    files: all.length,
    words: sum(({ words }) => words),
    headings: sum(({ headings }) => headings.length),
    links: sum(({ links }) => links.relative + links.elsewhere),
    relativeLinks: sum(({ links }) => links.relative),
    brokenLinks: sum(({ broken }) => broken.length),
    unreadable: sum(({ unreadable }) => (unreadable === undefined ? 0 : 1)),
  }
}

export function writeReport(all: readonly FileFacts[]): string {
  const totals = totalsOf(all)
  const findings = all.flatMap(({ file, broken, unreadable }) => [
    ...broken.map((target) => `- ${code(file)}: the link ${code(target)} leads nowhere`),
    ...(unreadable === undefined ? [] : [`- ${code(file)}: cannot be read (${unreadable})`]),
  ])
  return `# Markdown report

${totals.files} files, ${totals.words} words, ${totals.headings} headings, ${totals.links} links, ${totals.relativeLinks} of them relative.

## Findings

${findings.length === 0 ? 'None: every relative link leads somewhere.' : findings.join('\n')}

## Files

| file | words | headings | links | title |
| --- | ---: | ---: | ---: | --- |
${all.map(row).join('\n')}
`
}

function row({ file, words, headings, links }: FileFacts): string {
  const title = cell(headings.find(({ depth }) => depth === 1)?.text ?? '')
  return `| ${cell(code(file))} | ${words} | ${headings.length} | ${links.relative + links.elsewhere} | ${title} |`
}

function code(text: string): string {
  return text.includes('`') ? text : `\`${text}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')
}
